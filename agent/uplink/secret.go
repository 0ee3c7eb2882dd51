package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"pithead/config"
)

// Files and variables are read at every connection, so that a certificate or a
// password that was replaced works without a restart, and one that is missing
// is only that connection's error.

// tlsConfig is how to talk to host: TLS 1.2 and up, the uplink's own
// authorities or else the system's, and the gateway's certificate.
func tlsConfig(c config.Uplink, host string, now func() time.Time) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, Time: now}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s holds no certificate (PEM)", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("cert and key: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
