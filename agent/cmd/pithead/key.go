package main

import (
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
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	makeNew := len(rest) > 0
	if makeNew && rest[0] != "new" {
		fmt.Fprintf(stderr, "pithead key: %q is not known; want pithead key, or pithead key new [FILE]\n", rest[0])
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
	return showKey(*file, makeNew, s)
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

func showKey(file string, makeNew bool, s streams) int {
	key, err := openKey(file, makeNew)
	switch {
	case errors.Is(err, fs.ErrExist):
		fmt.Fprintf(s.err, "pithead key: %s is there already and is left alone; whoever wants another identity moves it away first\n", file)
		return wrong
	case !makeNew && errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(s.err, "pithead key: there is no identity at %s yet; the first run makes one, and so does pithead key new\n", file)
		return wrong
	case err != nil:
		fmt.Fprintln(s.err, "pithead key:", err)
		return wrong
	}
	fmt.Fprintf(s.out, "key          %s\nkid          %s\nfingerprint  %s\nfile         %s\n", key.Public(), key.Kid(), key.Fingerprint(), file)
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
