package main

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"pithead/agent/event"
)

func runVerify(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := streams{stdin, stdout, stderr}
	f := newFlags("verify", s)
	key := f.String("key", "", "")
	receipt := f.String("receipt", "", "")
	readings := f.Bool("readings", false, "")
	asJSON := f.Bool("json", false, "")
	rest, status, ok := f.parse(args, s, -1)
	if !ok {
		return status
	}
	if len(rest) == 0 {
		fmt.Fprintln(stderr, "pithead verify: want a FILE of events and messages of readings, or - for standard input; see pithead help verify")
		return usage
	}
	o, err := verifyOptions(*key, *receipt)
	if err != nil {
		fmt.Fprintln(stderr, "pithead verify:", err)
		return usage
	}
	o.Readings = *readings
	r, err := verifyFiles(rest, stdin, o)
	if err != nil {
		fmt.Fprintln(stderr, "pithead verify:", err)
		return wrong
	}
	if *asJSON {
		err = json.NewEncoder(stdout).Encode(r.Verdict())
	} else {
		err = r.Write(stdout)
	}
	if err != nil || !r.Whole() {
		return wrong
	}
	return done
}

func verifyFiles(names []string, stdin io.Reader, o event.Options) (event.Report, error) {
	var files []event.File
	for _, name := range names {
		if name == "-" {
			files = append(files, event.File{Name: name, Reader: stdin})
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return event.Report{}, err
		}
		defer f.Close()
		files = append(files, event.File{Name: name, Reader: f})
	}
	return event.VerifyFiles(files, o)
}

func verifyOptions(key, receipt string) (o event.Options, err error) {
	if key != "" {
		if o.Key, err = pinnedKey(key); err != nil {
			return o, err
		}
	}
	if receipt != "" {
		if o.Known, err = readReceipts(receipt); err != nil {
			return o, err
		}
	}
	return o, nil
}

// pinnedKey is a public key as pithead key prints it, or the first in a file,
// which may be all that pithead key printed.
func pinnedKey(s string) (ed25519.PublicKey, error) {
	if k, err := event.ParsePublic(s); err == nil {
		return k, nil
	}
	text, err := os.ReadFile(s)
	if err != nil {
		return nil, fmt.Errorf("--key %.60q is neither a public key nor a file that can be read", s)
	}
	for word := range strings.FieldsSeq(string(text)) {
		if k, err := event.ParsePublic(word); err == nil {
			return k, nil
		}
	}
	return nil, fmt.Errorf("--key %s: no public key is in the file (32 bytes in standard base64)", s)
}

// readReceipts reads a platform's receipts, one after the other. Who signed
// them is not judged: whoever gives them here vouches for them.
func readReceipts(file string) ([]event.Head, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var known []event.Head
	for dec := json.NewDecoder(f); ; {
		var r struct {
			Epoch string
			Event uint64
			H     string
		}
		if err := dec.Decode(&r); err == io.EOF {
			return known, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: not a receipt: %w", file, err)
		}
		if r.Event == 0 {
			continue // of readings alone
		}
		if !strings.HasPrefix(r.H, "sha256:") {
			r.H = "sha256:" + r.H
		}
		hash, err := event.ParseHash(r.H)
		if err != nil || r.Epoch == "" {
			return nil, fmt.Errorf(`%s: not a receipt: want "epoch", "event" and "h", the SHA-256 of that event`, file)
		}
		known = append(known, event.Head{Epoch: r.Epoch, N: r.Event, Hash: hash})
	}
}
