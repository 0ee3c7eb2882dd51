package config

import "embed"

// Examples are site files to start from: examples/<kind>.yaml.
//
//go:embed examples/*.yaml
var Examples embed.FS
