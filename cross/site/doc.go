// Package site drives the built agent from outside, as a site would: slaves of
// libmodbus over TCP and over a serial line, a mosquitto with TLS and client
// certificates, links that are bad, a cluster whose nodes die, power cuts, silence
// and lies. It knows nothing of the agent's packages: what it believes about
// the wire stands in docs, not in code shared with what is tested.
//
// The tests need Debian packages (cross/install.sh brings them) and about ten
// minutes, so they stand behind the build tag site: make test-site.
package site
