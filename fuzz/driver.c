/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/driver.c - run a fuzz target over saved inputs, without any fuzzer.
 * Links with every fuzz_*.c; part of `make check`, so corpora never rot. Each
 * input is in a heap block of its exact size, so that a sanitizer sees a read
 * one byte too far, as it would under libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_BYTES_MAX = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, uint8_t *all)
{
    FILE *f = fopen(path, "rb");
    size_t n;
    uint8_t *exact;

    if (f == NULL) {
        perror(path);
        return -1;
    }
    n = fread(all, 1, INPUT_BYTES_MAX, f);
    if (ferror(f) != 0 || fgetc(f) != EOF) {
        fprintf(stderr, "%s: cannot be read whole\n", path);
        fclose(f);
        return -1;
    }
    fclose(f);
    exact = malloc(n > 0 ? n : 1);
    if (exact == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        exact[i] = all[i];
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    uint8_t *all = malloc(INPUT_BYTES_MAX);

    if (all == NULL || argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        free(all);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        if (run_file(argv[i], all) != 0) {
            free(all);
            return EXIT_FAILURE;
        }
    }
    free(all);
    printf("%d inputs\n", argc - 1);
    return EXIT_SUCCESS;
}
