package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"pithead/drivers/modbus"
)

var registerForm = regexp.MustCompile(`^[0134][0-9]{4,5}$`)

// scanRegister reads a register as manuals number them: the first of five or
// six digits is the table, the rest counts from 1.
func scanRegister(v *value) string {
	if !registerForm.MatchString(v.text) {
		return fmt.Sprintf("%q is not a manual's register number; want five or six digits that begin with 0 (coil), 1 (discrete), 3 (input) or 4 (holding), as 40001", v.text)
	}
	n, err := strconv.Atoi(v.text[1:])
	if err != nil || n < 1 || n > 65536 {
		return fmt.Sprintf("%s is out of bounds; want %s%s1 to %c65536", v.text, v.text[:1], strings.Repeat("0", len(v.text)-2), v.text[0])
	}
	v.n = int64(n - 1)
	v.table = map[byte]modbus.Table{'0': modbus.Coil, '1': modbus.Discrete, '3': modbus.Input, '4': modbus.Holding}[v.text[0]]
	return ""
}

func scanHost(t string) string {
	host, port, err := net.SplitHostPort(t)
	if err != nil {
		if t != "" && !strings.ContainsAny(t, ":/ ") {
			return fmt.Sprintf("%q has no port; want host:port, as %s:502", t, t)
		}
		return fmt.Sprintf("%q is not an address; want host:port", t)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || port[0] == '0' {
		return fmt.Sprintf("%q is not a port; want 1 to 65535", port)
	}
	if host == "" || strings.ContainsAny(host, " /@") {
		return fmt.Sprintf("%q is not a host; want a name or an IP address", host)
	}
	return ""
}

// judgeHost refuses a host that can be no name and is no address.
func (j *judge) judgeHost(at place, hostport string) {
	host, _, err := net.SplitHostPort(hostport)
	switch {
	case err != nil || net.ParseIP(host) != nil:
	case strings.IndexFunc(host, func(c rune) bool { return c > '~' }) >= 0:
		j.strictf(at, "%q is not a host; want a name or an IP address", host)
	case strings.Trim(host, "0123456789.") == "":
		j.strictf(at, "%q is not an IP address; want four numbers from 0 to 255", host)
	}
}

func (j *judge) judgeBrokers(v *value) {
	if v == nil {
		return
	}
	all := v.list
	if all == nil {
		all = []*value{v}
	}
	for _, e := range all {
		if u, err := url.Parse(e.url); err == nil {
			j.judgeHost(e.place, u.Host)
		}
	}
}

var brokerPorts = map[string]string{"tcp": "1883", "tls": "8883", "ws": "80", "wss": "443"}

// scanBroker judges a broker's address and gives it its port.
func scanBroker(v *value) string {
	u, err := url.Parse(v.text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Sprintf("%q is not a broker's address; want tcp, tls, ws or wss and the host, as tls://mqtt.example:8883", v.text)
	}
	port, ok := brokerPorts[u.Scheme]
	switch {
	case !ok && (u.Scheme == "ssl" || u.Scheme == "mqtts"):
		return fmt.Sprintf("%q is unknown; want tls://", u.Scheme+"://")
	case !ok:
		return fmt.Sprintf("%q is unknown; want tcp://, tls://, ws:// or wss://", u.Scheme+"://")
	case u.User != nil:
		return "a secret is never text; want username: and password: beside it"
	case u.Hostname() == "":
		return fmt.Sprintf("%q names no host; want a name or an IP address", v.text)
	case u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" && port != "80" && port != "443":
		return fmt.Sprintf("%q has more than scheme, host and port; want %s://%s", v.text, u.Scheme, u.Host)
	case u.Port() == "":
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if problem := scanHost(u.Host); problem != "" {
		return problem
	}
	v.url = u.String()
	return ""
}
