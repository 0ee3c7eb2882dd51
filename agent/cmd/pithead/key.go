package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"pithead/agent/event"
	"pithead/config"
)

func runKey(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := streams{stdin, stdout, stderr}
	f := newFlags("key", s)
	site := f.String("site", defaultSite, "")
	file := f.String("file", "", "")
	asJSON := f.Bool("json", false, "")
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	word := ""
	if len(rest) > 0 {
		word = rest[0]
	}
	if word != "" && word != "new" && word != "next" {
		fmt.Fprintf(stderr, "pithead key: %q is not known; want pithead key, pithead key new [FILE] or pithead key next [FILE]\n", word)
		return usage
	}
	if len(rest) == 2 {
		if *file != "" {
			fmt.Fprintln(stderr, "pithead key: the file is named twice")
			return usage
		}
		*file = rest[1]
	}
	if *file == "" {
		if *file, ok = identityFile(*site, s); !ok {
			return wrong
		}
	}
	if word == "next" {
		return nextKey(*file, s)
	}
	return showKey(*file, word == "new", *asJSON, s)
}

// identityFile is where the site file says that the gateway's identity is.
func identityFile(file string, s streams) (string, bool) {
	site, problems := config.Load(file)
	if site == nil {
		for _, p := range problems {
			fmt.Fprintln(s.err, p.String())
		}
		fmt.Fprintln(s.err, "pithead key: name the identity with --file, or mend the site file")
		return "", false
	}
	if site.Identity != "" {
		return site.Identity, true
	}
	return filepath.Join(site.Buffer.Dir, config.IdentityFile), true
}

func showKey(file string, makeNew, asJSON bool, s streams) int {
	key, err := openKey(file, makeNew)
	switch {
	case errors.Is(err, fs.ErrExist):
		fmt.Fprintf(s.err, "pithead key: %s is there already and is left alone; pithead key next makes the key that is to follow it\n", file)
		return wrong
	case !makeNew && errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(s.err, "pithead key: there is no identity at %s yet; the first run makes one, and so does pithead key new\n", file)
		return wrong
	case err != nil:
		fmt.Fprintln(s.err, "pithead key:", err)
		return wrong
	}
	if asJSON {
		_ = json.NewEncoder(s.out).Encode(map[string]string{"key": key.Public(), "kid": key.Kid(), "fingerprint": key.Fingerprint(), "file": file})
		return done
	}
	show(s.out, key, file)
	if next, err := event.LoadKey(event.NextKey(file)); err == nil {
		fmt.Fprintln(s.out, "\nand the key that follows it when the agent starts or reloads next:")
		show(s.out, next, event.NextKey(file))
	}
	return done
}

func show(w io.Writer, key *event.Key, file string) {
	fmt.Fprintf(w, "key          %s\nkid          %s\nfingerprint  %s\nfile         %s\n", key.Public(), key.Kid(), key.Fingerprint(), file)
}

// nextKey makes the key that is to follow the one in file.
func nextKey(file string, s streams) int {
	if _, err := event.LoadKey(file); err != nil {
		fmt.Fprintln(s.err, "pithead key: there is none that another could follow:", err)
		return wrong
	}
	next := event.NextKey(file)
	key, err := event.NewKey(next)
	if errors.Is(err, fs.ErrExist) {
		fmt.Fprintf(s.err, "pithead key: %s waits already; it follows when the agent starts or reloads next\n", next)
		return wrong
	}
	if err != nil {
		fmt.Fprintln(s.err, "pithead key:", err)
		return wrong
	}
	show(s.out, key, next)
	fmt.Fprintln(s.out, "\nIt follows when the agent starts or reloads next, by an event that both keys sign.")
	return done
}

func openKey(file string, makeNew bool) (*event.Key, error) {
	if !makeNew {
		return event.LoadKey(file)
	}
	// The buffer's folder is not there before the first run.
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return event.NewKey(file)
}
