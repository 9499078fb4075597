# shoal - build, run, test. `make help` lists what can be asked for.
#
#   MODE=release|debug|asan|ubsan|tsan|tiny|sim|simtiny   each builds into build/<mode>/
#   V=1                                  show the commands
#   CFLAGS_EXTRA=...                     appended to the compiler's flags (e.g. -march=native)
#   LTO=                                 release without link-time optimisation
#   WERROR=                              warnings stay warnings
#   LAYERS="base store" OUT=build/mine   only these layers, in a folder of one's own

VERSION := 0.1.0
MODE    ?= release
PREFIX  ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
CC      := gcc
AR      := gcc-ar
LTO     := -flto=auto
WERROR  := -Werror
LAYERS  := base reactor mesh options net proto store cmd stats conn shard route pubsub server admin
OUT     := build/$(MODE)
Q       := $(if $(V),,@)
say      = $(if $(V),:,printf '  %-5s %s\n')

ifeq ($(filter $(MODE),release debug asan ubsan tsan tiny sim simtiny),)
$(error MODE is one of release, debug, asan, ubsan, tsan, tiny, sim, simtiny, not "$(MODE)")
endif

# ---- flags ------------------------------------------------------------------------------------

WARN    := -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes
DEFINES := -D_GNU_SOURCE -DSHOAL_VERSION='"$(VERSION)"'
SANITY  := -O1 -fno-omit-frame-pointer -DSHOAL_DCHECK

# What each mode adds.
FLAGS_release := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fno-plt $(LTO)
# -Og calls some of what xxhash.h wants inlined by force through pointers, which gcc refuses.
FLAGS_debug   := -Og -fno-omit-frame-pointer -DSHOAL_DCHECK -DXXH_NO_INLINE_HINTS=1
# One build for both: what each finds in a run of the other costs no time of its own.
FLAGS_asan    := $(SANITY) -fsanitize=address,undefined -fno-sanitize-recover=undefined
FLAGS_ubsan   := $(SANITY) -fsanitize=undefined -fno-sanitize-recover=all
# gcc warns of every atomic_thread_fence here; those have a TSan-only stand-in or a reason.
FLAGS_tsan    := $(SANITY) -fsanitize=thread -Wno-tsan
# Every queue is full and every buffer too small, see base/bound.h; for the end-to-end tests.
FLAGS_tiny    := $(FLAGS_debug) -O1 -DSHOAL_TINY

# For the simulator: an allocator whose blocks it can count and refuse, and which no clock drives.
FLAGS_sim     := $(FLAGS_debug) -O1
FLAGS_simtiny := $(FLAGS_tiny)

CFLAGS  := -std=gnu11 -g $(FLAGS_$(MODE)) $(WARN) $(DEFINES) -Iinclude $(CFLAGS_EXTRA)
LDFLAGS := -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS_EXTRA)

# The sanitizers want the C library's malloc. Of *_jemalloc.c and *_system.c the others are left out.
MALLOC   := $(if $(filter asan ubsan tsan sim simtiny,$(MODE)),system,jemalloc)
UNUSED   := %_$(if $(filter system,$(MALLOC)),jemalloc,system).c
built     = $(filter-out $(UNUSED),$(wildcard $1))
# liburing: the archive, because 2.3's shared library lacks io_uring_enable_rings.
LIBURING := $(if $(wildcard $(shell $(CC) -print-file-name=liburing.a 2>/dev/null)),-l:liburing.a,-luring)
LIBS     := $(LIBURING) $(if $(filter jemalloc,$(MALLOC)),-ljemalloc) -lm -lpthread

# ---- what there is to build: whatever lies in the folders ---------------------------------------

MAIN_SRC    := $(if $(filter admin,$(LAYERS)),src/main.c)
CORE_SRC    := $(call built,$(LAYERS:%=src/%/*.c) $(LAYERS:%=src/%/*/*.c) $(if $(MAIN_SRC),src/commands.c))
BASE_SRC    := $(call built,src/base/*.c)
CLIENT_SRC  := $(wildcard src/client/*.c)
# What bench/micro and bench/instructions hold are programs of their own.
BENCH_SRC   := $(filter-out bench/micro/% bench/instructions/%,$(wildcard bench/*.c bench/*/*.c))
BENCH_TESTS := $(wildcard tests/bench/*.c)
MICRO_SRC   := $(wildcard bench/micro/*.c)
COUNTED_SRC := $(wildcard bench/instructions/*.c)
EXAMPLE_SRC := $(wildcard docs/examples/*.c)
UNIT_SRC    := $(call built,$(LAYERS:%=tests/unit/%/test_*.c) $(LAYERS:%=tests/unit/%/*/test_*.c) tests/unit/client/test_*.c $(if $(MAIN_SRC),tests/unit/test_*.c))
SIM_SRC     := $(wildcard tests/sim/*.c)
E2E_SRC     := $(wildcard tests/e2e/test_*.c)
PRELOAD_SRC := $(wildcard tests/preload/*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/fuzz_*.c)
ifeq ($(MODE),tsan)
UNIT_SRC    := $(if $(UNIT_SRC),$(shell grep -lE 'pthread|fake_server\.h' $(UNIT_SRC)))
endif

objects   = $(patsubst %.c,$(OUT)/obj/%.o,$1)
# The many small unit tests link without LTO (a tenth of the time), so with objects of their own.
# Fat objects would do for both, but then who only wants the server waits half as long again.
PLAIN    := $(if $(findstring -flto,$(FLAGS_$(MODE))),plain,obj)
plain     = $(patsubst %.c,$(OUT)/$(PLAIN)/%.o,$1)
CORE     := $(if $(CORE_SRC),$(OUT)/libshoal-core.a)
UNIT_CORE := $(if $(CORE_SRC),$(if $(filter obj,$(PLAIN)),$(CORE),$(OUT)/libshoal-core-plain.a))
CLIENT   := $(if $(CLIENT_SRC),$(OUT)/libshoal.a)
SERVER   := $(if $(MAIN_SRC),$(OUT)/shoal)
BENCH    := $(if $(BENCH_SRC),$(OUT)/shoal-bench)
MICRO    := $(patsubst bench/micro/%.c,$(OUT)/micro/%,$(MICRO_SRC))
COUNTED  := $(OUT)/instructions
EXAMPLES := $(if $(CLIENT),$(patsubst docs/examples/%.c,$(OUT)/examples/%,$(EXAMPLE_SRC)))
UNIT     := $(patsubst tests/unit/%.c,$(OUT)/tests/unit/%,$(UNIT_SRC))
SIM      := $(OUT)/tests/sim/sim
E2E      := $(patsubst tests/%.c,$(OUT)/tests/%,$(E2E_SRC))
# Libraries put in front of the server's: not where a sanitizer has put its own there.
PRELOAD  := $(if $(filter release debug tiny,$(MODE)),$(patsubst tests/%.c,$(OUT)/tests/%.so,$(PRELOAD_SRC)))
# A server with a race in it, which the end-to-end tests must report: does the net hold?
PLANTED  := $(if $(filter tsan,$(MODE)),$(SERVER:%=%-planted))
PROGRAMS := $(SERVER) $(BENCH) $(CLIENT) $(EXAMPLES)
# The release build is also found one level up: build/shoal, build/libshoal.a, ...
PUBLISHED := $(if $(filter build/release,$(OUT)),$(patsubst $(OUT)/%,build/%,$(PROGRAMS)))

all: $(PROGRAMS) $(CORE) $(PUBLISHED) ## build the server, the client library, the bench and the examples

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@sed -n '3,8s/^# */  /p' Makefile

# gcc 12's sanitizers cannot place their shadow where the kernel randomises more than 28 bits.
RUN := $(if $(filter asan ubsan tsan,$(MODE)),$(shell [ "$$(cat /proc/sys/vm/mmap_rnd_bits)" -le 28 ] 2>/dev/null \
         || { setarch -R true 2>/dev/null && echo setarch -R; }))

# ---- run, test, bench --------------------------------------------------------------------------

# As many compilers as there are CPUs, unless make was told how many.
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

run: setup-build ## install what is missing, build, start the server: make run ARGS="--port 7000"
	$(Q)$(MAKE) --no-print-directory $(parallel) MODE=release build/shoal
	$(Q)exec build/shoal $(ARGS)

setup-build:
	$(Q)scripts/setup.sh build

test: ## install what is missing, build and run every test; ends in "N passed, N failed"
	$(Q)scripts/setup.sh build test
	$(Q)scripts/test-all.sh

test-long: ## what takes hours: long runs of the random tests, everything under every sanitizer
	$(Q)scripts/setup.sh build test
	$(Q)scripts/test-long.sh

unit: $(UNIT) ## unit tests of one MODE (release if not said; tsan runs the threaded ones)
	$(Q)$(RUN) scripts/run-unit.sh $(UNIT)

e2e: all $(E2E) $(PRELOAD) $(PLANTED) ## redis-cli, client libraries and wire tests against a started server
	$(Q)$(RUN) scripts/run-e2e.sh $(OUT)/shoal

conformance: all ## the Redis test suite as an outside judge: make conformance UNITS=expire
	$(Q)SHOAL=$(OUT)/shoal $(RUN) tests/conformance/run.py $(UNITS)

e2e-epoll: ## e2e against a server that uses epoll
	$(Q)SHOAL_IO_ENGINE=epoll $(MAKE) --no-print-directory $(parallel) e2e

conformance-epoll: ## conformance of a server that uses epoll
	$(Q)SHOAL_IO_ENGINE=epoll $(MAKE) --no-print-directory $(parallel) conformance

differential: all ## random programs beside redis-server and on 1, 2, 4 shards: make differential N=1000000 SEED=1
	$(Q)SHOAL=$(SERVER) $(RUN) tests/differential/run.py $(N:%=--commands %) $(SEED:%=--seed %) $(ARGS)

differential-epoll: ## differential of servers that use epoll
	$(Q)SHOAL_IO_ENGINE=epoll $(MAKE) --no-print-directory $(parallel) differential

sim: ## the whole server in one thread under many seeds: make sim SEEDS=2000 SEED=7
	$(Q)$(MAKE) --no-print-directory $(parallel) MODE=sim sim-build
	$(Q)$(MAKE) --no-print-directory $(parallel) MODE=simtiny sim-build
	$(Q)SEED=$(or $(SEED),1) SEEDS=$(or $(SEEDS),300) tests/sim/run.py build/sim/tests/sim/sim build/simtiny/tests/sim/sim

sim-build: $(SIM)

sim-planted: ## bugs are planted in the server one by one: the simulator has to find each
	$(Q)$(MAKE) --no-print-directory $(parallel) MODE=sim sim-build
	$(Q)$(MAKE) --no-print-directory $(parallel) MODE=simtiny sim-build
	$(Q)MAKEFLAGS= tests/sim/planted.py $(ARGS)

models: ## check the models of the queues, of sleep and of credits (needs spin)
	$(Q)tests/models/run.sh

fuzz: ## fuzz the parsers, each for 60 s or as said: make fuzz ARGS="600 config" (needs clang)
	$(Q)tests/fuzz/run.sh $(ARGS)

fuzz-test: ## the tests of what runs the fuzzers
	$(Q)tests/fuzz/test_run.sh

bench: ## shoal beside redis-server and memcached, in under three minutes
	$(Q)scripts/setup.sh build bench
	$(Q)$(MAKE) --no-print-directory $(parallel) MODE=release build/shoal build/shoal-bench
	$(Q)exec bench/peers/run.sh $(ARGS)

bench-test: $(BENCH) $(MICRO) ## the tests of shoal-bench itself
	$(Q)BENCH=$(CURDIR)/$(BENCH) CC=$(CC) $(RUN) tests/bench/run.sh

micro: $(MICRO) ## build the micro-benchmarks into build/<mode>/micro/

instructions: ## instructions per request, counted by callgrind, beside those on record
	$(Q)scripts/setup.sh build instructions
	$(Q)$(MAKE) --no-print-directory $(COUNTED)
	$(Q)bench/instructions/run.py $(COUNTED) $(ARGS)

unit-build: $(UNIT) ## build the unit tests without running them

deps: ## install what building, testing and working on shoal needs, and do nothing else
	$(Q)scripts/setup.sh build test dev

# ---- tidiness ----------------------------------------------------------------------------------

C_FILES = $(shell find include src bench tests docs -name '*.[ch]' 2>/dev/null)

tidy: all ## layers, lone headers, dead files, stale generated docs, leftovers
	$(Q)SHOAL=$(SERVER) $(RUN) scripts/tidy.py

SOURCES = $(MAIN_SRC) $(CORE_SRC) $(CLIENT_SRC) $(BENCH_SRC) $(MICRO_SRC) $(COUNTED_SRC) $(EXAMPLE_SRC) $(UNIT_SRC) $(E2E_SRC) $(SIM_SRC) $(PRELOAD_SRC) \
          $(FUZZ_SRC) $(BENCH_TESTS) $(filter $(UNUSED),$(wildcard src/base/*.c tests/unit/base/*.c))
sources:
	@printf '%s\n' $(SOURCES)

format: ## clang-format everything in place
	$(Q)$(if $(C_FILES),clang-format -i $(C_FILES))

format-check: ## fail if clang-format would change anything
	$(Q)$(if $(C_FILES),clang-format --dry-run -Werror $(C_FILES))

# For clangd and its like. All files get the commit's name and each folder of headers: it does no harm.
command = {"directory": "$(CURDIR)", "file": "$1", "command": "$(CC) $(subst ",\",$(filter-out -flto%,$(CFLAGS))) \
          -Itests -Ibench -include build/gen/build_id.h -c $1"}
compile-commands: build/gen/build_id.h ## compile_commands.json, by which editors know how each file is compiled
	$(file >compile_commands.json,[$(subst } {,}$(comma) {,$(foreach source,$(SOURCES),$(call command,$(source))))])
	@echo compile_commands.json: $(words $(SOURCES)) files

docs: all ## regenerate what the documentation takes from the program's tables
	$(Q)SHOAL=$(SERVER) $(RUN) scripts/gen-docs.sh

# ---- install -----------------------------------------------------------------------------------

PLACE   := $(DESTDIR)$(PREFIX)
MAN     := share/man/man1/shoal.1
BASH    := share/bash-completion/completions/shoal
UNIT_AT := lib/systemd/system/shoal.service
CONFIG  := $(SYSCONFDIR)/shoal/shoal.conf

# A configuration that is there already is somebody's: it stays, here and in uninstall.
install: all ## into $(DESTDIR)$(PREFIX): programs, library, man page, completion, systemd unit, config
	install -D -m 755 build/shoal $(PLACE)/bin/shoal
	$(if $(BENCH),install -D -m 755 build/shoal-bench $(PLACE)/bin/shoal-bench)
	$(if $(CLIENT),install -D -m 644 build/libshoal.a $(PLACE)/lib/libshoal.a)
	install -D -m 644 include/shoal/client.h $(PLACE)/include/shoal/client.h
	build/shoal --print-man >build/gen/shoal.1
	install -D -m 644 build/gen/shoal.1 $(PLACE)/$(MAN)
	build/shoal --print-completion >build/gen/shoal.bash
	install -D -m 644 build/gen/shoal.bash $(PLACE)/$(BASH)
	sed -e 's|/usr/bin/shoal|$(PREFIX)/bin/shoal|' -e 's|/etc/shoal/shoal.conf|$(CONFIG)|' packaging/shoal.service >build/gen/shoal.service
	install -D -m 644 build/gen/shoal.service $(PLACE)/$(UNIT_AT)
	test -e $(DESTDIR)$(CONFIG) || install -D -m 644 packaging/shoal.conf $(DESTDIR)$(CONFIG)

uninstall: ## remove what install put there, the config aside
	rm -f $(addprefix $(PLACE)/,bin/shoal bin/shoal-bench lib/libshoal.a include/shoal/client.h $(MAN) $(BASH) $(UNIT_AT))

clean: ## remove everything built (downloads in build/cache stay)
	rm -rf $(filter-out build/cache,$(wildcard build/*))

.PHONY: all help run setup-build test test-long unit e2e conformance e2e-epoll conformance-epoll differential differential-epoll sim sim-build sim-planted models fuzz fuzz-test bench bench-test micro instructions unit-build \
        deps compile-commands tidy sources format format-check docs install uninstall clean FORCE

# ---- rules -------------------------------------------------------------------------------------

# Stamps change only when their text does: objects follow the flags, archives follow their list of
# members, and the few files that name SHOAL_BUILD_ID follow the commit.
stamp = mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$1)' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$1)' >$@

$(OUT)/flags: FORCE
	@$(call stamp,$(CC) $(CFLAGS))
$(OUT)/core.list: FORCE
	@$(call stamp,$(CORE_SRC))
$(OUT)/client.list: FORCE
	@$(call stamp,$(CLIENT_SRC))
build/gen/build_id.h: FORCE
	@$(call stamp,#define SHOAL_BUILD_ID "$(shell git rev-parse --short=12 HEAD 2>/dev/null || echo none)")

WITH_ID := $(shell grep -rl --include='*.c' SHOAL_BUILD_ID src 2>/dev/null)
$(sort $(call objects,$(WITH_ID)) $(call plain,$(WITH_ID))): private CFLAGS += -include build/gen/build_id.h
# A library is for any compiler and any allocator of its user: no LTO, no libraries but libc.
$(call objects,$(CLIENT_SRC) $(EXAMPLE_SRC)): private CFLAGS += $(if $(LTO),-fno-lto)
$(call objects,$(UNIT_SRC) $(E2E_SRC) $(SIM_SRC)): private CFLAGS += -Itests $(if $(LTO),-fno-lto)
$(call objects,$(BENCH_SRC)): private CFLAGS += -Ibench

$(OUT)/obj/%.o: %.c $(OUT)/flags | build/gen/build_id.h
	@mkdir -p $(@D); $(say) CC $<
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/plain/%.o: %.c $(OUT)/flags | build/gen/build_id.h
	@mkdir -p $(@D); $(say) CC "$< without LTO"
	$(Q)$(CC) $(CFLAGS) -fno-lto -MMD -MP -c -o $@ $<

$(CORE): $(call objects,$(CORE_SRC)) $(OUT)/core.list
$(OUT)/libshoal-core-plain.a: $(call plain,$(CORE_SRC)) $(OUT)/core.list
$(CLIENT): $(call objects,$(CLIENT_SRC)) $(OUT)/client.list
$(sort $(CORE) $(UNIT_CORE)) $(CLIENT):
	@$(say) AR $@; rm -f $@
	$(Q)$(AR) qcs $@ $(filter %.o,$^)

link = mkdir -p $(@D); $(say) LINK $@; $(CC) $(CFLAGS) $2 $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $1

$(SERVER): $(call objects,$(MAIN_SRC)) $(CORE)
	$(Q)$(call link,$(LIBS))
# The planted mesh.o stands before the archive, whose own is then not taken.
$(OUT)/obj/planted/mesh.o: $(filter %/mesh.c,$(CORE_SRC)) tests/support/planted_race.h $(OUT)/flags
	@mkdir -p $(@D); $(say) CC $<
	$(Q)$(CC) $(CFLAGS) -include tests/support/planted_race.h -MMD -MP -c -o $@ $<
$(SERVER:%=%-planted): $(call objects,$(MAIN_SRC)) $(OUT)/obj/planted/mesh.o $(CORE)
	$(Q)$(call link,$(LIBS))
# The harness shares only the base, so that a server that does not compile cannot stop it.
$(BENCH): $(call objects,$(BENCH_SRC) $(BASE_SRC))
	$(Q)$(call link,$(LIBS))
$(MICRO): $(OUT)/micro/%: $(OUT)/obj/bench/micro/%.o $(CORE)
	$(Q)$(call link,$(LIBS))
$(COUNTED): $(call objects,$(COUNTED_SRC)) $(CORE)
	$(Q)$(call link,$(LIBS))
$(EXAMPLES): $(OUT)/examples/%: $(OUT)/obj/docs/examples/%.o $(CLIENT)
	$(Q)$(call link,,-fno-lto)
# A test that has a __wrap_malloc() decides when memory is out, and so on; or a header it includes.
wraps = $(patsubst __wrap_%,-Wl$(comma)--wrap=%,$(sort $(shell grep -oh '__wrap_[a-z_]*' $1 \
         $$(sed -n 's|^.include "\(support/.*\)"|tests/\1|p' $1))))
comma := ,
$(UNIT): $(OUT)/tests/unit/%: $(OUT)/obj/tests/unit/%.o $(UNIT_CORE) $(CLIENT)
	$(Q)$(call link,-lcmocka $(LIBS),-fno-lto $(call wraps,tests/unit/$*.c))
$(SIM): $(call objects,$(SIM_SRC)) $(CORE)
	$(Q)$(call link,$(LIBS),$(call wraps,tests/sim/memory.c))
# The object with the bug stands before the archive, whose own is then not taken.
$(OUT)/planted/%: $(OUT)/obj/build/planted/%.o $(call objects,$(SIM_SRC)) $(CORE)
	$(Q)$(call link,$(LIBS),$(call wraps,tests/sim/memory.c))
$(E2E): $(OUT)/tests/e2e/%: $(OUT)/obj/tests/e2e/%.o $(CLIENT)
	$(Q)$(call link,-lhiredis -lpthread,-fno-lto)
$(PRELOAD): $(OUT)/tests/%.so: tests/%.c $(OUT)/flags
	@mkdir -p $(@D); $(say) LINK $@
	$(Q)$(CC) -std=gnu11 -O1 -g $(WARN) -D_GNU_SOURCE -shared -fPIC -o $@ $<

build/%: build/release/%
	@mkdir -p $(@D); ln -f $< $@

FORCE:
.SECONDARY:
-include $(patsubst %.o,%.d,$(if $(PLANTED),$(OUT)/obj/planted/mesh.o) $(call plain,$(CORE_SRC)) $(call objects,$(CORE_SRC) $(MAIN_SRC) $(CLIENT_SRC) $(BENCH_SRC) $(MICRO_SRC) $(COUNTED_SRC) $(EXAMPLE_SRC) $(UNIT_SRC) $(E2E_SRC) $(SIM_SRC)))
