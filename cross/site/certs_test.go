//go:build site

package site

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
	"time"
)

// An authority signs the certificates of the broker and of its clients. The
// files it has written: ca.pem, and NAME.pem with NAME.key.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := certificate("test authority")
	form.IsCA, form.BasicConstraintsValid = true, true
	form.KeyUsage = x509.KeyUsageCertSign
	form.NotAfter = form.NotAfter.AddDate(20, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	a := &authority{dir: dir, key: key, pool: x509.NewCertPool()}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	a.pool.AddCert(a.cert)
	if err := writePEM(a.file("ca.pem"), "CERTIFICATE", der); err != nil {
		return nil, err
	}
	for _, name := range []string{"broker", "gw-01", "watcher"} {
		if err := a.issue(name); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func certificate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) issue(name string) error {
	return a.sign(a.dir, name, func(*x509.Certificate) {})
}

// sign writes a certificate and its key into a folder, after a change to what is
// usual: for the loopback address, valid from an hour ago for a day.
func (a *authority) sign(dir, name string, change func(*x509.Certificate)) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	form := certificate(name)
	form.KeyUsage = x509.KeyUsageDigitalSignature
	form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	form.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(platformIP)}
	change(form)
	der, err := x509.CreateCertificate(rand.Reader, form, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, name+".key"), "EC PRIVATE KEY", secret); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, name+".pem"), "CERTIFICATE", der)
}

// client is the TLS configuration of one who has name's certificate.
func (a *authority) client(name string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(a.file(name+".pem"), a.file(name+".key"))
	return &tls.Config{RootCAs: a.pool, Certificates: []tls.Certificate{pair}}, err
}

func tlsOver(c net.Conn, conf *tls.Config) (net.Conn, error) {
	conf = conf.Clone()
	if conf.ServerName == "" {
		conf.ServerName = "127.0.0.1"
	}
	t := tls.Client(c, conf)
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	if err := t.Handshake(); err != nil {
		c.Close()
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return t, nil
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
