# What is built lands in build/, which git does not see.
GO      ?= go
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
# The local page speaks HTTP/1.1; what net/http has for HTTP/2 would be 0.4 MB of an armv7 binary.
TAGS     = nethttpomithttp2 packed
# Inlining is for what runs at each reading; everywhere else it costs 1 MB of an armv7 binary. Boards
# of 64 bits have room for more of it, which is 0.1 MB.
HOT      = runtime internal/runtime/sys internal/runtime/math internal/bytealg sync/atomic math/bits encoding/binary hash/crc32 \
           pithead/drivers pithead/drivers/modbus pithead/agent/alarm pithead/agent/record pithead/config/expr
HOT64    = math strconv internal/strconv bufio context io net sync internal/sync internal/poll syscall internal/runtime/... \
           time unique github.com/goburrow/modbus github.com/eclipse/paho.mqtt.golang/... pithead/agent pithead/agent/uplink pithead/buffer
LEAN     = -gcflags=all=-l $(HOT:%=-gcflags=%=)
WIDE     = $(LEAN) $(HOT64:%=-gcflags=%=)
INLINE   = $(if $(filter %64,$(shell $(GO) env GOARCH)),$(WIDE),$(LEAN))
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -tags "$(TAGS)" -ldflags "$(LDFLAGS)"
# 32-bit ARM has pages of 4 KiB and no others; the linker's 64 KiB are for arm64.
PAGES    = -ldflags "$(LDFLAGS) -R 4096"
OUT      = build/pithead
MAIN     = ./agent/cmd/pithead
FUZZTIME ?= 30s
# What failed, and why, stands last, below what the other tests say.
VERDICT  = $(GO) run ./cross/verdict
CUTS    ?= 30

.PHONY: help build cross test test-large test-site test-links test-board test-power demo fuzz bench-telegraf bench-modbus bench-output bench-uplink model clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

# What comes with the program is held deflated: 0.14 MB of an armv7 binary.
.PHONY: packed
packed:
	@$(GO) run ./config/pack config/packed.bin

build: packed ## the agent for this machine: build/pithead
	$(BUILD) $(INLINE) -o $(OUT) $(MAIN)

cross: packed ## static binaries for the gateways' processors, with their sizes
	GOOS=linux GOARCH=amd64 $(BUILD) $(WIDE) -o build/pithead-linux-amd64 $(MAIN)
	GOOS=linux GOARCH=arm64 $(BUILD) $(WIDE) -o build/pithead-linux-arm64 $(MAIN)
	GOOS=linux GOARCH=arm GOARM=7 $(BUILD) $(LEAN) $(PAGES) -o build/pithead-linux-armv7 $(MAIN)
	GOOS=linux GOARCH=arm GOARM=6 $(BUILD) $(LEAN) $(PAGES) -o build/pithead-linux-armv6 $(MAIN)
	@cd build && wc -c pithead-linux-*
	@size=$$(wc -c < build/pithead-linux-armv7); \
	  if [ $$size -gt 10000000 ]; then echo "the armv7 binary has $$size bytes; the limit is 10 MB" >&2; exit 1; fi

test: ## everything that needs Go alone, with the race detector
	@unformatted=$$(gofmt -l agent buffer config cross drivers); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags site ./cross/site/
	$(GO) vet -tags 'board power' ./cross/board/
	# -cpu 1: the fake timers of a synctest bubble share one context of the race
	# detector, which crashes when two processors use it at once (Go 1.26).
	$(VERDICT) $(GO) test -race -cpu 1 -timeout 30m ./...

test-large: ## the buffer: killed 10,000 times in memory and 1,000 times for real, 1,000 histories of damage, and the heap of a 2 GB log
	$(GO) test ./buffer -run 'Killed|HeapOf|Battered' -v -count=1 -kills 10000 -batterings 1000 -real-kills 1000 -large 2147483648 -timeout 60m

test-site: ## the built agent against mosquitto, libmodbus and serial lines (Debian; installs them as root)
	cross/install.sh site
	$(VERDICT) -at-once $(GO) test -tags site ./cross/site/ -count=1 -parallel 4 -v -timeout 60m
	$(MAKE) test-board
	$(MAKE) test-power CUTS=3

test-links: ## bad links for half an hour, a cluster whose nodes die for five minutes (Debian, root)
	cross/install.sh site
	$(GO) test -tags site ./cross/site/ -run 'TestABadLink|TestALineThatLosesHalf|TestAClusterWhoseNodesDie' -count=1 -parallel 4 -v -timeout 45m -args -bad 30m

BOARDS   = PITHEAD_ARM64=$(CURDIR)/build/pithead-linux-arm64 PITHEAD_ARMV7=$(CURDIR)/build/pithead-linux-armv7
test-board: cross ## the released binary in emulated arm64 and armv7 boards with GPIO lines (Debian; fetches a kernel)
	cross/install.sh board
	$(BOARDS) $(VERDICT) -at-once $(GO) test -tags board ./cross/board/ -count=1 -v -timeout 60m

test-power: cross ## CUTS power cuts (30) while the whole agent runs in an emulated board: nothing acknowledged is lost
	cross/install.sh board
	CUTS=$(CUTS) $(BOARDS) $(VERDICT) -at-once $(GO) test -tags 'board power' ./cross/board/ -run TestPower -count=1 -v -timeout 60m

.PHONY: bench-buffer
bench-buffer: ## the buffer against tidwall/wal, bbolt, SQLite and the bare disk, each goal with yes or no (root; downloads them; ten minutes)
	@mkdir -p build
	cd cross/benchbuffer && $(GO) run . -dir ../../build

demo: build ## a small mine and the agent in this terminal; Ctrl-C ends it
	@$(GO) build -o build/demo ./cross/demo && exec build/demo --pithead build/pithead

.PHONY: bench-rules
bench-rules: ## ten thousand points with two alarms each, all sampled every second: share of one core
	$(GO) test -run '^$$' -bench '^BenchmarkRules$$' -benchtime 5s ./agent/

.PHONY: test-adversary
test-adversary: ## slaves that lie: 100,000 exchanges in virtual time, 1,000 each on a serial line and over TCP
	$(GO) test ./drivers/modbus -run Adversary -count=1 -v -timeout 25m -args -exchanges 100000 -exchanges-in-earnest 1000

fuzz: ## every fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' agent buffer config cross drivers | sort | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
	    echo "$$file $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; \
	  done; \
	done

bench-output: ## from the sample that decides to the line: p50, p99, max over 10,000 alarms, with 1,000 other points being read
	$(GO) test ./agent -run '^$$' -bench 'BenchmarkOutput$$' -benchtime 1x -v

bench-modbus: ## polls as a share of what a serial line allows, 9600 to 115200 baud, beside goburrow's own transport
	$(GO) test -tags bench ./cross/bench/modbus/ -count=1 -v -timeout 10m

bench-telegraf: build ## processor time and memory beside Telegraf: 10,000 registers of 40 devices each second (Debian; builds Telegraf once)
	cross/install.sh site
	PITHEAD=$(CURDIR)/$(OUT) $(GO) run ./cross/bench/telegraf

bench-uplink: ## drain a backlog into a mosquitto on loopback: readings a second, bytes each, memory (Debian: mosquitto)
	cross/install.sh site
	$(GO) build -o build/bench-uplink ./cross/bench/uplink
	build/bench-uplink
	build/bench-uplink -compress zstd

.PHONY: fleet
fleet: ## 500 gateways whose broker restarts: when they come back, beside what the rule says; then a cluster (Debian: mosquitto; fetches nats-server)
	cross/install.sh site
	cross/site/parts.sh $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pithead-site
	$(GO) build -o build/fleet ./cross/fleet
	build/fleet
	build/fleet -away 60s
	build/fleet -nats $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pithead-site/nats-server

model: ## 10,000 random histories of two uplinks, links, crashes, resends, against a model of two platforms; then each of 34 mistakes must be found
	$(GO) test -tags lent ./agent/uplink -run 'TestNoHistory|TestThePlatformsModel' -histories 10000 -count=1 -timeout 60m
	$(GO) test ./agent/uplink -run TestEveryMistakeIsFound -count=1 -v -timeout 60m -mistakes

clean: ## build/ away
	rm -rf build
