package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"pithead/config"
)

// A mistake is why there is no connection where no time mends it: a person has
// to, at the gateway or at the platform. Its words name the file and don't
// change from one try to the next.
type mistake struct{ error }

func (m mistake) Unwrap() error { return m.error }

// secured puts the failure of a TLS connection into our words; the broker's
// word on our certificate comes only behind the handshake (TLS 1.3).
func secured(c config.Uplink, err error, now time.Time) error {
	var (
		unknown x509.UnknownAuthorityError
		named   x509.HostnameError
		invalid x509.CertificateInvalidError
		old     tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		return mistake{fmt.Errorf("the broker's certificate is of no authority in %s", authorities(c))}
	case errors.As(err, &named):
		return mistake{fmt.Errorf("the broker's certificate is for %s, not for %s", names(named.Certificate), named.Host)}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return mistake{outdated("the broker's certificate", invalid.Cert, now)}
	case errors.As(err, &invalid):
		return mistake{fmt.Errorf("the broker's certificate can't be used: %w", invalid)}
	case errors.As(err, &old):
		return mistake{errors.New("the broker does not speak TLS at this port")}
	case refused(err) != nil:
		return mistake{fmt.Errorf("the broker refuses the gateway's certificate (%w)%s", refused(err), own(c, now))}
	}
	return err
}

// refused is the broker's word, in TLS, that it won't have us; nil: there is none.
func refused(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return op.Err
	}
	return nil
}

// names are whom a certificate is for.
func names(x *x509.Certificate) string {
	all := x.DNSNames
	for _, ip := range x.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "nobody by address or name"
	}
	return strings.Join(all, ", ")
}

func authorities(c config.Uplink) string {
	if c.CA == "" {
		return "the system's list; the uplink names no ca"
	}
	return c.CA
}

// outdated says why a certificate's time is not now.
func outdated(whose string, x *x509.Certificate, now time.Time) error {
	if now.Before(x.NotBefore) {
		return fmt.Errorf("%s is not yet valid: it begins on %s, and it is %s here", whose, onDay(x.NotBefore), onDay(now))
	}
	return fmt.Errorf("%s has expired on %s, and it is %s here", whose, onDay(x.NotAfter), onDay(now))
}

func onDay(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// own says what is wrong with the gateway's certificate as far as it can be
// seen here; empty if nothing can.
func own(c config.Uplink, now time.Time) string {
	if c.Cert == "" {
		return ": the uplink names none"
	}
	text, err := os.ReadFile(c.Cert)
	if err != nil {
		return ""
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return ""
	}
	x, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !now.Before(x.NotBefore) && !now.After(x.NotAfter) {
		return ": " + c.Cert
	}
	return ": " + outdated(c.Cert, x, now).Error()
}
