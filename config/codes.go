package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Codes are the code tables of a template: by table and word, what a platform
// calls it.
type Codes map[string]map[string]string

// LoadCodes reads code tables: a YAML file of mappings by name, each from a word
// to a word or number. * stands for every word that is not there.
func LoadCodes(path string) (Codes, error) {
	src, err := ReadForm(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p := &problems{file: path}
	n := p.document(src)
	if n == nil {
		return nil, errors.New(p.sorted()[0].String())
	}
	codes := Codes{}
	err = eachPair(n, func(name string, table *yaml.Node) error {
		codes[name] = map[string]string{}
		return eachPair(table, func(word string, to *yaml.Node) error {
			if _, twice := codes[name][word]; twice {
				return fmt.Errorf("%s:%d: %q is there twice", path, to.Line, word)
			}
			if to.Kind != yaml.ScalarNode {
				return fmt.Errorf("%s:%d: %q has no single value", path, to.Line, word)
			}
			codes[name][word] = to.Value
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return codes, nil
}

func eachPair(n *yaml.Node, f func(string, *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want names and values", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := f(n.Content[i].Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}
