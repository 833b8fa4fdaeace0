#!/bin/sh
# demo.sh BALLAST - what `make demo` shows: a generated day under the policy of
# the embedded scenario, beside the same day with nothing moved and nothing off.
set -eu
ballast=$1
cat <<'TEXT'
A day in a data centre of 200 servers that is far too large for its load, as
most are: 800 VMs, most of them idle most of the time. An idle server still
draws about half of its full power. What does it save to move VMs together and let
empty servers sleep, and who pays for that? The next lines are the report of
`ballast sim --baseline static,dvfs,lr-mmt`; below it is how to read it.

TEXT
"$ballast" sim --baseline static,dvfs,lr-mmt
cat <<'TEXT'

How to read it
  The last table is the summary, with its picture. Under `static`, every server
  stays on and no VM ever moves: nobody waits, and most of the energy is burnt by
  idling. `dvfs` is the published benchmark in which power follows load (SPECpower
  tables have that in them, so that it is the same here), `lr-mmt` the published
  policy that most others are compared with. The first line below them is ours.
  What a policy pays with is in "Service": while VMs are on the move, or share a
  server that has become full, some of their work is not done. "Worst-served VMs"
  says who, and why.
  The energy floor is what physics allows: no policy at all could have done all
  of the work with less. The distance to it is what a better one can still gain.

What next
  ballast sim --explain host=newer-0 | head     every decision, with its figures
  ballast tune examples/tune-power.yaml         find a policy for your own trace
  ballast sim --policy help                     other policies
  ballast sim --seeds 10 -j 2                   how much of it is chance?
  ballast check --keys                          write a scenario of your own
TEXT
echo "The program is $ballast"
