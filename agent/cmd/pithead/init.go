package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"pithead/config"
)

const initHelp = `
  KIND         what kind of site; init alone lists them
  DIR          where site.yaml is written; default here
  --sim        on simulated buses, with a story to watch: pithead run DIR/site.yaml

It never overwrites a file. Every line is explained in Chinese and English.`

func runInit(_ context.Context, args []string, s streams) int {
	f := newFlags("init", s)
	sim := f.Bool("sim", false, "")
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	all := config.ExampleKinds()
	if len(rest) == 0 {
		listKinds(all, s)
		return done
	}
	var names []string
	for _, e := range all {
		if e.Kind == rest[0] {
			return writeExample(e, append(rest, ".")[1], *sim, s)
		}
		names = append(names, e.Kind)
	}
	fmt.Fprintf(s.err, "pithead init: there is no kind %q; want one of %s\n", rest[0], strings.Join(names, ", "))
	return usage
}

func listKinds(all []config.Example, s streams) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, e := range all {
		fmt.Fprintf(w, "%s\t%s\n\t%s\n", e.Kind, e.Zh, e.En)
	}
	_ = w.Flush()
	fmt.Fprint(s.out, "\npithead init KIND [DIR] writes site.yaml; with --sim on simulated buses.\n")
}

func writeExample(e config.Example, dir string, sim bool, s streams) int {
	text := e.Text
	if sim {
		if text = e.Simulated(); text == nil {
			fmt.Fprintf(s.err, "pithead init: %s has no story to simulate\n", e.Kind)
			return wrong
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		fmt.Fprintln(s.err, "pithead init:", err)
		return wrong
	}
	file := filepath.Join(dir, "site.yaml")
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		fmt.Fprintf(s.err, "pithead init: %s is there already, and stays as it is\n", file)
		return wrong
	}
	if err == nil {
		_, err = out.Write(text)
		err = errors.Join(err, out.Close())
	}
	if err != nil {
		fmt.Fprintln(s.err, "pithead init:", err)
		return wrong
	}
	fmt.Fprintf(s.out, "%s is written: change what is yours, then pithead check %s\n", file, file)
	return done
}
