# Typhon. On a machine with Debian 12, in a fresh clone, as root:
#
#   make tour     set up, build, and see what it does
#   make check    set up, build, and run the tests
#
# Each target does what is left to do, and nothing else. The work is done by the scripts of tools/.

BUILD = build
TYPHON = $(BUILD)/typhon

# The notebook of examples/tour: what each cell shows, and the time that it takes.
.PHONY: tour
tour: build
	@tools/setup requests
	tools/tour --typhon $(TYPHON)

# The tests that are run for every change: smoke, scripts, C units, the fast part of CPython's own suite.
.PHONY: check
check: setup compile
	tools/check --typhon $(TYPHON)

# The same, then all of CPython's suite that the ledger covers, and the scripts under the heap's stress mode.
.PHONY: check-slow
check-slow: setup compile
	tools/check --typhon $(TYPHON) --slow

# build/typhon, with what building needs.
.PHONY: build
build: setup-build compile

.PHONY: compile
compile:
	@[ -e $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@ninja -C $(BUILD) --quiet

# Everything that the project depends on: Debian packages, the standard library, the test suite.
.PHONY: setup setup-build
setup:
	@tools/setup
setup-build:
	@tools/setup build

# CPython's own tests against the ledger in conformance/: all, or `make conformance FILES="test_dict test_set"`.
.PHONY: conformance
conformance: setup compile
	tools/conformance --typhon $(TYPHON) $(FILES)

# build-optimized/typhon: optimised across files, after a profile of the programs of bench/.
.PHONY: optimized
optimized: setup-build
	tools/optimize

# The programs of bench/ on Typhon and other Pythons: `make bench PYTHONS="python3.14 pypy3"`.
.PHONY: bench
bench: build
	tools/bench --typhon $(TYPHON) $(PYTHONS)

# Builds the fuzzers of fuzz/ with clang and runs each for SECONDS.
SECONDS = 60
.PHONY: fuzz
fuzz:
	@tools/setup extra
	tools/fuzz --seconds $(SECONDS)

# The scripts and a part of CPython's suite under address, undefined-behaviour and thread sanitizers.
.PHONY: sanitize
sanitize:
	@tools/setup extra
	tools/sanitize

.PHONY: format
format:
	tools/format

.PHONY: clean
clean:
	rm -rf build build-*
