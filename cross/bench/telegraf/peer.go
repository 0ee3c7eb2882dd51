package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// version of Telegraf, and what of it this job needs.
const (
	version = "v1.37.2"
	tags    = "custom,inputs.modbus,outputs.mqtt,serializers.json"
)

// buildTelegraf builds it once, in the user's cache.
func buildTelegraf(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "pithead-bench", "telegraf-"+version)
	bin := filepath.Join(dir, "telegraf")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	fmt.Println("building Telegraf", version, "in", dir)
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", "github.com/influxdata/telegraf@"+version)
	cmd.Dir = os.TempDir() // outside of any module
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download: %w\n%s", err, out)
	}
	var mod struct{ Dir string }
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", err
	}
	src := filepath.Join(dir, "src")
	if err := os.RemoveAll(src); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// The module cache is read-only, and a build there would be a dependency's.
	if said, err := exec.CommandContext(ctx, "cp", "-r", mod.Dir, src).CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy: %w\n%s", err, said)
	}
	if said, err := exec.CommandContext(ctx, "chmod", "-R", "u+w", src).CombinedOutput(); err != nil {
		return "", fmt.Errorf("chmod: %w\n%s", err, said)
	}
	if err := build(ctx, src, bin+".new", tags, "./cmd/telegraf"); err != nil {
		return "", err
	}
	return bin, os.Rename(bin+".new", bin)
}

// telegrafConfig polls each device once a second: all registers of a device in
// one metric, which is how Telegraf does it best.
func (w *world) telegrafConfig() string {
	var b strings.Builder
	fmt.Fprintf(&b, `[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 1000
  metric_buffer_limit = 10000
  omit_hostname = true
[[outputs.mqtt]]
  servers = ["tcp://127.0.0.1:%d"]
  topic = "telegraf/data"
  qos = 1
  data_format = "json"
`, w.broker)
	for d, port := range w.devices {
		fmt.Fprintf(&b, "[[inputs.modbus]]\n  name = \"d%d\"\n  controller = \"tcp://127.0.0.1:%d\"\n  configuration_type = \"request\"\n"+
			"  [[inputs.modbus.request]]\n    slave_id = 1\n    byte_order = \"ABCD\"\n    register = \"holding\"\n    fields = [\n", d, port)
		for i := range perDevice {
			fmt.Fprintf(&b, "      {address=%d, name=\"p%d\", type=\"UINT16\"},\n", i, i)
		}
		b.WriteString("    ]\n")
	}
	return w.write("telegraf.conf", b.String())
}

// pitheadSite is the same for pithead, which judges and stores besides.
func (w *world) pitheadSite() string {
	var buses, devices, points strings.Builder
	for d, port := range w.devices {
		fmt.Fprintf(&buses, "  b%d: {tcp: \"127.0.0.1:%d\"}\n", d, port)
		fmt.Fprintf(&devices, "  d%d: {bus: b%d, unit: 1, every: 1s}\n", d, d)
		for i := range perDevice {
			fmt.Fprintf(&points, "  d%d.p%d: {device: d%d, holding: %d}\n", d, i, d, i)
		}
	}
	return w.write("site.yaml", fmt.Sprintf("version: 1\nsite: bench\ngateway: gw\nbuses:\n%sdevices:\n%spoints:\n%s"+
		"uplinks: {u: {mqtt: tcp://127.0.0.1:%d, send: [data]}}\nbuffer: {dir: %s, size: 1GB}\nweb: {listen: \"127.0.0.1:%d\"}\n",
		buses.String(), devices.String(), points.String(), w.broker, filepath.Join(w.dir, "buffer"), w.page))
}

func (w *world) write(name, text string) string {
	file := filepath.Join(w.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		panic(err) // a folder of our own that was made just now
	}
	return file
}
