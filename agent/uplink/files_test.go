package uplink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pithead/config"
)

// An authority makes certificates that live in files, as on a gateway.
type authority struct {
	until time.Time // of what is issued; zero: an hour from now
	t     *testing.T
	dir   string
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	der, key := a.make("pit CA", nil, nil)
	a.key = key
	a.cert, _ = x509.ParseCertificate(der)
	a.write("ca.pem", "CERTIFICATE", der)
	return a
}

// make makes a certificate for the loopback addresses, signed by the authority;
// without one it is the authority's own.
func (a *authority) make(name string, signer *x509.Certificate, signKey *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(ownHost())},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if !a.until.IsZero() {
		c.NotAfter = a.until
	}
	if signer == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		signer, signKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, signer, &key.PublicKey, signKey)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) write(name, kind string, der []byte) {
	if err := os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// issue writes name.pem and name.key.
func (a *authority) issue(name string) {
	der, key := a.make(name, a.cert, a.key)
	a.write(name+".pem", "CERTIFICATE", der)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".key", "PRIVATE KEY", raw)
}

// server demands a certificate of the authority from its clients.
func (a *authority) server() *tls.Config {
	a.issue("broker")
	pair, err := tls.LoadX509KeyPair(a.path("broker.pem"), a.path("broker.key"))
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
}

// Whatever is wrong with files and secrets, it is said, nothing is lost, and it
// works without a restart once it is put right.
func TestFilesAndSecretsThatAreWrongAndThenRight(t *testing.T) {
	t.Parallel()
	right := func(t *testing.T, a *authority) { a.issue("gw") }
	for _, c := range []struct {
		name  string
		setup func(t *testing.T, a *authority, c *config.Uplink)
		says  string
		mend  func(t *testing.T, a *authority)
	}{
		{"no certificate yet", func(*testing.T, *authority, *config.Uplink) {}, "no such file", right},
		{"a certificate of another authority", func(t *testing.T, a *authority, c *config.Uplink) {
			other := newAuthority(t)
			other.dir = a.dir
			other.issue("gw")
		}, "certificate", right},
		{"no authority's file", func(t *testing.T, a *authority, c *config.Uplink) {
			a.issue("gw")
			c.CA = a.path("late.pem")
		}, "ca: open", func(t *testing.T, a *authority) { a.write("late.pem", "CERTIFICATE", a.cert.Raw) }},
		{"the wrong authority", func(t *testing.T, a *authority, c *config.Uplink) {
			a.issue("gw")
			os.Rename(newAuthority(t).path("ca.pem"), a.path("ca.pem"))
		}, "certificate", func(t *testing.T, a *authority) { a.write("ca.pem", "CERTIFICATE", a.cert.Raw) }},
		{"an authority's file without one", func(t *testing.T, a *authority, c *config.Uplink) {
			a.issue("gw")
			os.WriteFile(a.path("ca.pem"), []byte("hello"), 0o600)
		}, "holds no certificate", func(t *testing.T, a *authority) { a.write("ca.pem", "CERTIFICATE", a.cert.Raw) }},
		{"the wrong password", func(t *testing.T, a *authority, c *config.Uplink) {
			a.issue("gw")
			c.Username, c.Password = "gw-01", &config.Secret{File: a.path("pw")}
			os.WriteFile(a.path("pw"), []byte("old\n"), 0o600)
		}, "user name, password", func(t *testing.T, a *authority) {
			os.WriteFile(a.path("pw"), []byte("geheim\r\n"), 0o600)
		}},
		{"an expired certificate", func(t *testing.T, a *authority, c *config.Uplink) {
			a.until = time.Now().Add(-time.Minute)
			a.issue("gw")
			a.until = time.Time{}
		}, "certificate", right},
		{"no password yet", func(t *testing.T, a *authority, c *config.Uplink) {
			a.issue("gw")
			c.Username, c.Password = "gw-01", &config.Secret{File: a.path("pw")}
		}, "password: open", func(t *testing.T, a *authority) {
			os.WriteFile(a.path("pw"), []byte("geheim"), 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := newAuthority(t), newBench(t, 1<<20)
			br := &broker{t: t, addr: "127.0.0.1:0", tls: a.server()}
			br.admit = func(user, password string) bool { return user == "" || password == "geheim" }
			br.start()
			cfg := uplinkConfig("tls://" + br.addr)
			cfg.CA, cfg.Cert, cfg.Key = a.path("ca.pem"), a.path("gw.pem"), a.path("gw.key")
			c.setup(t, a, &cfg)
			b.readings(3)
			u := b.uplink(cfg)
			b.start(u)
			eventually(t, "the error is told", func() bool { return u.State().LastError != "" })
			if s := u.State(); !strings.Contains(s.LastError, c.says) || !strings.Contains(s.LastError, br.addr) || s.Connected {
				t.Errorf("connected %v, error %q, want one with %q and the address", s.Connected, s.LastError, c.says)
			}
			c.mend(t, a)
			eventually(t, "it delivers", func() bool { return b.position("data") == 3 })
		})
	}
}

func TestPasswordFromTheEnvironment(t *testing.T) {
	t.Setenv("COUNTY_PW", "geheim")
	if p, err := (&config.Secret{Env: "COUNTY_PW"}).Read(); p != "geheim" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	if _, err := (&config.Secret{Env: "COUNTY_NO"}).Read(); err == nil || !strings.Contains(err.Error(), "COUNTY_NO") {
		t.Errorf("error %v", err)
	}
}

// A board in 1970 judges certificates by the newest time that it knows; by its
// own clock none would be valid yet. A broker of another name is refused.
func TestDatesAndNamesOfTheBrokersCertificate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		now  time.Time
		host string
		says string
	}{
		"by the board's own clock":    {time.Unix(1000, 0), "127.0.0.1", "not yet valid"},
		"by the newest known time":    {time.Now().Add(-time.Minute), "127.0.0.1", ""},
		"long after":                  {time.Now().Add(48 * time.Hour), "127.0.0.1", "expired"},
		"a broker under another name": {time.Now(), "localhost", "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newAuthority(t), newBench(t, 1<<20)
			br := (&broker{t: t, addr: "127.0.0.1:0", tls: a.server()}).start()
			a.issue("gw")
			cfg := uplinkConfig("tls://" + strings.Replace(br.addr, "127.0.0.1", c.host, 1))
			cfg.CA, cfg.Cert, cfg.Key = a.path("ca.pem"), a.path("gw.pem"), a.path("gw.key")
			env := b.env()
			env.TLS = func() time.Time { return c.now }
			u := New(cfg, env)
			b.readings(3)
			b.start(u)
			if c.says == "" {
				eventually(t, "it delivers", func() bool { return b.position("data") == 3 })
				if h := HealthOf("county", u.State(), c.now); h.Certificate == nil || *h.Certificate != 0 {
					t.Errorf("days to expiry: %v", h.Certificate)
				}
				return
			}
			eventually(t, "it is refused", func() bool { return strings.Contains(u.State().LastError, c.says) })
		})
	}
}
