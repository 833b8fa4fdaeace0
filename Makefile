# One Makefile for the whole tree: no recursion, nothing written outside build/.
#
#   make                  the library and the program: build/gcc/ballast
#   make check            every test that is quick, needs no network and no root
#   make demo             replay a generated day and tell what happened
#   make bench            the benchmarks, CSV on stdout
#   make experiments      run them all, rewrite the tables in doc/experiments/
#   make bench-instructions   instructions for each dispatch (installs valgrind)
#   make bench-peers      the same replay in SimGrid (installs libsimgrid-dev)
#   make lint             format, clang-tidy, layers, banned calls, shell, docs
#   make format           rewrite the sources as lint-format wants them
#   make fuzz T=trace TIME=60   libFuzzer on fuzz/fuzz_trace.c (clang)
#   make cov              line coverage of the library's sources
#   make install DESTDIR= PREFIX=/usr/local       and make uninstall
#   make dist, distcheck  tarball of HEAD; it must build, pass and install
#   make clean            remove the build directory
#
#   Flavours, each in a directory of its own under build/: CC=clang,
#   SAN=address,undefined, DEBUG=1 (-O0), COV=1, FUZZ=1.
#   V=1 shows commands, WERROR=0 is for packagers, BUILD=DIR builds elsewhere.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
SHELL     := /bin/sh
comma     := ,
$(if $(V),,$(eval Q := @))

VERSION := $(shell cat VERSION)
MODULES := base hv trace tune power sched cluster manager report config sim kvm
PKGS    := libfyaml libarchive libzstd libxxhash jansson hwloc powercap sqlite3

# ---- toolchain and flags: users own CFLAGS, we own BL_CFLAGS -----------------
CC         ?= gcc
ifeq ($(origin CC),default)
CC         := gcc
endif
AR         ?= ar
INSTALL    ?= install
PKG_CONFIG ?= pkg-config
WERROR     ?= 1
CFLAGS     ?= $(if $(DEBUG),-O0,-O2) -g

# Each flavour has its own directory: switching flavours rebuilds nothing, and
# objects of two flavours can never be linked together.
BUILD ?= build
B := $(BUILD)/$(notdir $(CC))$(if $(DEBUG),-debug)$(if $(COV),-cov)$(if $(SAN),-$(subst $(comma),+,$(SAN)))$(if $(FUZZ),-fuzz)

PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

FORTIFY     := $(if $(SAN)$(filter -O0,$(CFLAGS)),0,2)
BL_CPPFLAGS := -I. -I$B/gen -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY) \
               -DBL_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
BL_CFLAGS   := -std=c17 -fPIC -fopenmp -fno-omit-frame-pointer \
               -fstack-protector-strong -ffp-contract=off \
               -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef -Wformat=2 \
               -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
               -Wcast-qual -Wpointer-arith -Wwrite-strings -Wconversion \
               -Wswitch-enum -Wimplicit-fallthrough \
               $(if $(filter 1,$(WERROR)),-Werror)
BL_LDFLAGS  := -Wl,--as-needed -Wl,-z,relro,-z,now
BL_LDLIBS   := $(PKG_LIBS) -lm
ifdef SAN
BL_CFLAGS   += -fsanitize=$(SAN) -fno-sanitize-recover=all
BL_LDFLAGS  += -fsanitize=$(SAN)
export LSAN_OPTIONS ?= suppressions=$(CURDIR)/tools/lsan.supp:print_suppressions=0
endif
ifdef COV
BL_CFLAGS   += --coverage
BL_LDFLAGS  += --coverage
endif
ifdef FUZZ
BL_CFLAGS   += -fsanitize=fuzzer-no-link
endif

# ---- what is built from what (sorted: link order must not depend on readdir) -
LIB_SRC   := $(sort $(wildcard $(MODULES:%=%/*.c)))
LIB_OBJ   := $(LIB_SRC:%.c=$B/%.o)
LIB_HDR   := $(sort $(filter-out %_priv.h,$(wildcard $(MODULES:%=%/*.h))))
LIB_A     := $B/libballast.a
CLI_SRC   := $(sort $(wildcard cli/*.c))
CLI_OBJ   := $(CLI_SRC:%.c=$B/%.o)
BIN       := $B/ballast
MPI_PKG   := ompi-c
MPI_SRC   := $(sort $(wildcard cli/mpi/*.c))
MPI_OBJ   := $(MPI_SRC:%.c=$B/%.o)
MPI_CFLAGS = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(MPI_PKG)))
MPI_BIN   := $(if $(and $(MPI_SRC),$(shell $(PKG_CONFIG) --exists $(MPI_PKG) 2>/dev/null && echo yes)),$B/ballast-tune-mpi)
TEST_SRC  := $(sort $(wildcard tests/test_*.c))
TEST_BIN  := $(TEST_SRC:%.c=$B/%)
TEST_SH   := $(sort $(filter-out tests/support_%.sh tests/determinism.sh,\
               $(wildcard tests/*.sh)))
SUPP_SRC  := $(sort $(wildcard tests/support_*.c))
SUPP_OBJ  := $(SUPP_SRC:%.c=$B/%.o)
SUPP_A    := $B/tests/libsupport.a
FUZZ_SRC  := $(sort $(wildcard fuzz/fuzz_*.c))
FUZZ_BIN  := $(FUZZ_SRC:%.c=$B/%)
BENCH_SRC := $(sort $(wildcard bench/bench_*.c))
BSUPP_SRC := $(sort $(wildcard bench/support_*.c))
BSUPP_OBJ := $(BSUPP_SRC:%.c=$B/%.o)
# Compared with other programs: neither in `make check` nor in `make lint`.
PEER_SRC  := $(sort $(wildcard bench/peers/*.c))
PEER_BIN  := $(PEER_SRC:%.c=$B/%)
BENCH_BIN := $(BENCH_SRC:%.c=$B/%)
SCHED_POLICIES := $(patsubst sched/policy_%.c,%,$(sort $(wildcard sched/policy_*.c)))
SCHED_MODES    := $(patsubst sched/mode_%.c,%,$(sort $(wildcard sched/mode_*.c)))
GOVERNORS := $(patsubst power/governor_%.c,%,$(sort $(wildcard power/governor_*.c)))
POLICIES  := $(patsubst cluster/policy_%.c,%,$(sort $(wildcard cluster/policy_*.c)))
ALL_C     := $(sort $(LIB_SRC) $(CLI_SRC) $(if $(MPI_BIN),$(MPI_SRC)) $(TEST_SRC) $(SUPP_SRC) $(FUZZ_SRC) \
               $(wildcard fuzz/driver.c) $(BENCH_SRC) $(BSUPP_SRC))
ALL_H     := $(sort $(wildcard $(MODULES:%=%/*.h) cli/*.h tests/*.h fuzz/*.h \
               bench/*.h))

.PHONY: all
all: $(LIB_A) $(if $(CLI_SRC),$(BIN) $(MPI_BIN))

# ---- rules -------------------------------------------------------------------
# move-if-change: $(call keep,FILE) moves FILE.new over FILE when they differ.
keep = if cmp -s $1.new $1; then rm -f $1.new; else mv -f $1.new $1; fi

# Rewritten only when the flags change; every object depends on it.
FLAGS := $(CC) $(BL_CPPFLAGS) $(CPPFLAGS) $(BL_CFLAGS) $(CFLAGS) $(BL_LDFLAGS) $(LDFLAGS) $(BL_LDLIBS)
$B/.flags: FORCE
	@$(PKG_CONFIG) --exists $(PKGS) 2>/dev/null || { \
	    echo "missing libraries ($(PKGS)): run sh tools/bootstrap.sh TARGET" >&2; exit 1; }
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@.new; $(call keep,$@)
.PHONY: FORCE
FORCE:

COMPILE = $(CC) $(BL_CPPFLAGS) $(CPPFLAGS) $(BL_CFLAGS) $(CFLAGS) -MMD -MP
LINK    = $(CC) $(BL_CFLAGS) $(CFLAGS) $(BL_LDFLAGS) $(LDFLAGS)

$B/%.o: %.c $B/.flags
	@mkdir -p $(@D)
	@$(if $V,,echo "  CC    $<")
	$Q$(COMPILE) $(EXTRA) -c -o $@ $<

# A policy is one file, cluster/policy_NAME.c: the registry is made of the list.
$B/gen/policies.inc: FORCE
	@mkdir -p $(@D)
	@for p in $(POLICIES); do echo "X($$p)"; done >$@.new; $(call keep,$@)
$B/manager/registry.o: $B/gen/policies.inc

# The dispatcher's own: sched/policy_NAME.c and sched/mode_NAME.c.
$B/gen/sched_policies.inc: FORCE
	@mkdir -p $(@D)
	@for p in $(SCHED_POLICIES); do echo "X($$p)"; done >$@.new; $(call keep,$@)
$B/gen/sched_modes.inc: FORCE
	@mkdir -p $(@D)
	@for p in $(SCHED_MODES); do echo "X($$p)"; done >$@.new; $(call keep,$@)
$B/sched/registry.o: $B/gen/sched_policies.inc $B/gen/sched_modes.inc

# Governors of the frequency: power/governor_NAME.c.
$B/gen/governors.inc: FORCE
	@mkdir -p $(@D)
	@for p in $(GOVERNORS); do echo "X($$p)"; done >$@.new; $(call keep,$@)
$B/power/governor.o: $B/gen/governors.inc

# The scenario that `ballast sim` runs when it is given none, as the elements of
# a char array with its final zero.
$B/gen/embedded_scenario.inc: examples/default.yaml
	@mkdir -p $(@D)
	@od -An -v -tu1 $< | awk '{ \
	    for (i = 1; i <= NF; i++) { \
	        if ($$i > 126) { print FILENAME ": not ASCII" >"/dev/stderr"; exit 1 } \
	        printf "%d,", $$i } print "" } END { print "0" }' >$@.new
	@mv -f $@.new $@
$B/config/embedded.o: $B/gen/embedded_scenario.inc

# The chart of `ballast tune`'s page, and its licence, byte by byte.
DYGRAPHS         ?= /usr/share/javascript/dygraphs
DYGRAPHS_LICENCE ?= /usr/share/doc/libjs-dygraphs/copyright
BYTES = @mkdir -p $(@D); { od -An -v -tu1 $< | tr -s ' ' ',' | sed 's/^,//; s/$$/,/'; \
    echo 0; } >$@.new && mv -f $@.new $@
NO_DYGRAPHS = @echo "missing $@ (libjs-dygraphs): run sh tools/bootstrap.sh TARGET" >&2; exit 1
$(DYGRAPHS)/%:
	$(NO_DYGRAPHS)
$(DYGRAPHS_LICENCE):
	$(NO_DYGRAPHS)
$B/gen/dygraphs_js.inc: $(DYGRAPHS)/dygraph.min.js
	$(BYTES)
$B/gen/dygraphs_css.inc: $(DYGRAPHS)/dygraph.min.css
	$(BYTES)
$B/gen/dygraphs_licence.inc: $(DYGRAPHS_LICENCE)
	$(BYTES)
$B/report/dygraphs.o: $B/gen/dygraphs_js.inc $B/gen/dygraphs_css.inc $B/gen/dygraphs_licence.inc

# What goes into the library and the program: a file taken away counts, too.
$B/.objects: FORCE
	@mkdir -p $(@D)
	@echo $(LIB_OBJ) $(CLI_OBJ) >$@.new; $(call keep,$@)

$(LIB_A): $(LIB_OBJ) $B/.objects
	@$(if $V,,echo "  AR    $@")
	$Qrm -f $@ && $(AR) rcsD $@ $(LIB_OBJ)

$(BIN): $(CLI_OBJ) $(LIB_A)
	@$(if $V,,echo "  LD    $@")
	$Q$(LINK) -o $@ $(CLI_OBJ) $(LIB_A) $(BL_LDLIBS) $(LDLIBS)

# What `ballast tune` becomes under mpirun; only where there is an MPI.
$B/cli/mpi/%.o: EXTRA = $(MPI_CFLAGS)
$(MPI_BIN): $(MPI_OBJ) $(filter-out $B/cli/ballast.o,$(CLI_OBJ)) $(LIB_A)
	@$(if $V,,echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(MPI_PKG)) $(BL_LDLIBS) $(LDLIBS)

# cmocka is looked up only when a test is built: installing never needs it.
$B/tests/%.o: EXTRA = $(shell $(PKG_CONFIG) --cflags cmocka)
$(SUPP_A): $(SUPP_OBJ)
	@mkdir -p $(@D)
	$Qrm -f $@ && $(AR) rcsD $@ $^
# Proves that a run allocates nothing: its test counts the calls.
$B/tests/test_host_alloc $B/tests/test_sched_alloc: LINK += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
# Plays the kernel that clamps or refuses a limit.
$B/tests/test_powercap_tree: LINK += -Wl,--wrap=powercap_constraint_set_power_limit_uw,--wrap=powercap_constraint_set_time_window_us
$(TEST_BIN): $B/%: $B/%.o $(SUPP_A) $(LIB_A)
	@$(if $V,,echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(shell $(PKG_CONFIG) --libs cmocka) $(TEST_LIBS) $(BL_LDLIBS) $(LDLIBS)
$B/tests/test_pool_lp $B/tests/test_floor_lp $B/tests/test_floor_milp $B/tests/test_floor_cycle: TEST_LIBS = -lglpk
# Of the program itself, what stands by itself.
$B/tests/test_tune_db: $B/cli/tune_db.o
$B/tests/test_tune_db: TEST_LIBS = $(LIB_A)

$(BENCH_BIN): $B/%: $B/%.o $(BSUPP_OBJ) $(LIB_A)
	@$(if $V,,echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(BL_LDLIBS) $(LDLIBS)

$(FUZZ_BIN): $B/%: $B/%.o $(if $(FUZZ),,$B/fuzz/driver.o) $(LIB_A)
	@$(if $V,,echo "  LD    $@")
	$Q$(LINK) $(if $(FUZZ),-fsanitize=fuzzer) -o $@ $^ $(BL_LDLIBS) $(LDLIBS)

-include $(patsubst %.c,$B/%.d,$(ALL_C) $(PEER_SRC))

# ---- check: quick, no network, no root, same result every time ----------------
# Each group leaves its result in $B/check; the summary fails for every group
# that failed or left none. All groups run, also after a failure.
CHECK_TESTS := $(TEST_BIN:$B/tests/%=check-%)
CHECK_SH    := $(TEST_SH:tests/%.sh=check-%)
CHECK_FUZZ  := $(FUZZ_BIN:$B/fuzz/%=check-%)
CHECK_BENCH := $(BENCH_BIN:$B/bench/%=check-%)
CHECKS      := $(CHECK_TESTS) $(CHECK_SH) $(CHECK_FUZZ) $(CHECK_BENCH) \
               $(if $(CLI_SRC),check-docs)
RUN_CHECK   = $QBL_BIN=$(abspath $(BIN)) sh tools/check-one.sh $B/check $@
JOBS        = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: check check-groups $(CHECKS)
check:
	@rm -rf $B/check
	@$(MAKE) --no-print-directory $(JOBS) -k -Otarget check-groups; \
	    sh tools/check-summary.sh $B/check $(CHECKS)
check-groups: $(CHECKS)

$(CHECK_TESTS): check-%: $B/tests/% $(if $(CLI_SRC),$(BIN))
	$(RUN_CHECK) $<
$(CHECK_SH): check-%: tests/%.sh $(if $(CLI_SRC),$(BIN) $(MPI_BIN))
	$(RUN_CHECK) sh $<
$(CHECK_FUZZ): check-fuzz_%: $B/fuzz/fuzz_%
	$(RUN_CHECK) $< fuzz/corpus/$*/*
$(CHECK_BENCH): check-%: $B/bench/% $(if $(CLI_SRC),$(BIN))
	$(RUN_CHECK) $< --smoke
check-docs: $(BIN)
	$(RUN_CHECK) sh tools/check-docs.sh $<

# ---- demo, bench, fuzz, coverage ----------------------------------------------
.PHONY: demo bench bench-instructions bench-peers experiments fuzz fuzz-run fuzz-list cov
demo: $(BIN)
	@sh tools/demo.sh $<
bench: $(BENCH_BIN) $(BIN)
	@for b in $(BENCH_BIN); do BL_BIN=$(abspath $(BIN)) $$b || exit 1; done
# Figures of pages come from the program; running it again changes nothing.
experiments: $(BIN)
	@sh tools/experiments.sh $<
bench-instructions: $B/bench/bench_sched
	@sh tools/bootstrap.sh --packages bench
	@sh tools/bench-callgrind.sh $<
bench-peers: $(BIN)
	@sh tools/bootstrap.sh --packages peers
	$Q$(MAKE) --no-print-directory $(PEER_BIN)
	@sh bench/peers/run.sh $B
$(PEER_BIN): $B/%: $B/%.o $(BSUPP_OBJ) $(LIB_A)
	@$(if $V,,echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(if $(findstring simgrid,$@),-lsimgrid) $(BL_LDLIBS) $(LDLIBS)
T    ?= trace
TIME ?= 60
fuzz:
	$Q$(MAKE) --no-print-directory CC=clang FUZZ=1 SAN=address,undefined fuzz-run
fuzz-run: $B/fuzz/fuzz_$T
	@mkdir -p $B/corpus/$T
	$< -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=2048 -artifact_prefix=$B/ $B/corpus/$T fuzz/corpus/$T
fuzz-list:
	@echo $(FUZZ_SRC:fuzz/fuzz_%.c=%)
cov:
	$Q$(MAKE) --no-print-directory COV=1 DEBUG=1 check
	@sh tools/coverage.sh $(BUILD)/$(notdir $(CC))-debug-cov $(LIB_SRC)

# ---- lint: everything a reviewer should not have to say ------------------------
.PHONY: lint lint-format lint-tidy lint-layers lint-banned lint-files lint-shell lint-paths format
lint: lint-format lint-layers lint-banned lint-files lint-shell lint-paths lint-tidy
	@echo "lint: clean"
lint-format:
	$Qclang-format --dry-run -Werror $(ALL_C) $(ALL_H)
# A file is read again only when its object was: the stamp follows the object.
# The path analyser does not know that cmocka's assertions do not return.
lint-tidy: $(ALL_C:%.c=$B/tidy/%.ok)
$B/tidy/%.ok: %.c $B/%.o .clang-tidy
	@mkdir -p $(@D)
	@$(if $V,,echo "  TIDY  $<")
	$Qclang-tidy --quiet $(if $(filter tests/% fuzz/% bench/%,$<),--checks=-clang-analyzer-*) $< -- -std=c17 -fopenmp $(BL_CPPFLAGS) $(if $(filter cli/mpi/%,$<),$(MPI_CFLAGS)) 2>$@.log || \
	    { cat $@.log >&2; exit 1; }
	@touch $@
lint-layers:
	$Qsh tools/check-layers.sh
lint-banned:
	$Qsh tools/check-banned.sh
lint-files:
	$Qsh tools/check-files.sh
lint-shell:
	$Qshellcheck $(sort $(wildcard tools/*.sh tools/*/*.sh tests/*.sh bench/*/*.sh) .ci/run) completions/ballast.bash
lint-paths:
	$Qsh tools/check-paths.sh
format:
	$Qclang-format -i $(ALL_C) $(ALL_H)

# ---- install ------------------------------------------------------------------
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
LIBEXECDIR ?= $(PREFIX)/libexec
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
BASHCOMP   ?= $(DATADIR)/bash-completion/completions
MAN        := $(sort $(wildcard man/*.[0-9]))
EXAMPLES   := $(sort $(wildcard examples/*.*))
SCHED_EX   := $(sort $(wildcard examples/sched/*.*))
POWER_EX   := $(sort $(wildcard examples/power/*.*))

$B/ballast.pc: ballast.pc.in VERSION FORCE
	@mkdir -p $(@D)
	@sed -e 's|@prefix@|$(PREFIX)|' -e 's|@libdir@|$(LIBDIR)|' \
	    -e 's|@includedir@|$(INCLUDEDIR)|' -e 's|@version@|$(VERSION)|' \
	    -e 's|@requires@|$(filter-out sqlite3,$(PKGS))|' $< >$@.new; $(call keep,$@)

.PHONY: install uninstall
install: all $B/ballast.pc
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
	    $(DESTDIR)$(BASHCOMP) $(DESTDIR)$(DATADIR)/ballast/examples
	$(INSTALL) -m 755 $(BIN) $(DESTDIR)$(BINDIR)
	$(if $(MPI_BIN),$(INSTALL) -D -m 755 $(MPI_BIN) \
	    $(DESTDIR)$(LIBEXECDIR)/ballast/ballast-tune-mpi)
	$(INSTALL) -m 644 $(LIB_A) $(DESTDIR)$(LIBDIR)
	for h in $(LIB_HDR); do \
	    $(INSTALL) -D -m 644 $$h $(DESTDIR)$(INCLUDEDIR)/ballast/$$h || exit 1; done
	$(INSTALL) -m 644 $B/ballast.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	for m in $(MAN); do \
	    $(INSTALL) -D -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done
	$(INSTALL) -m 644 completions/ballast.bash $(DESTDIR)$(BASHCOMP)/ballast
	$(INSTALL) -m 644 $(EXAMPLES) $(DESTDIR)$(DATADIR)/ballast/examples
	$(INSTALL) -d $(DESTDIR)$(DATADIR)/ballast/examples/sched
	$(INSTALL) -m 644 $(SCHED_EX) $(DESTDIR)$(DATADIR)/ballast/examples/sched
	$(INSTALL) -d $(DESTDIR)$(DATADIR)/ballast/examples/power
	$(INSTALL) -m 644 $(POWER_EX) $(DESTDIR)$(DATADIR)/ballast/examples/power
uninstall:
	rm -rf $(DESTDIR)$(INCLUDEDIR)/ballast $(DESTDIR)$(DATADIR)/ballast \
	    $(DESTDIR)$(LIBEXECDIR)/ballast
	rm -f $(DESTDIR)$(BINDIR)/ballast $(DESTDIR)$(LIBDIR)/libballast.a \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/ballast.pc $(DESTDIR)$(BASHCOMP)/ballast
	for m in $(MAN); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

# The tarball of HEAD must build, pass and install by itself.
.PHONY: dist distcheck clean help
dist:
	@mkdir -p $(BUILD)
	git archive --prefix=ballast-$(VERSION)/ -o $(BUILD)/ballast-$(VERSION).tar.gz HEAD
distcheck: dist
	+sh tools/distcheck.sh $(BUILD)/ballast-$(VERSION).tar.gz $(BUILD)/distcheck
clean:
	rm -rf $(BUILD)
help:
	@sed -n 's/^#   //p' Makefile
