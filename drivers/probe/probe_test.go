package probe

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pithead/drivers/conform"

	"pithead/drivers"
)

// serve answers each connection with a text, after so long; it tells what it was asked.
func serve(t *testing.T, answer string, after time.Duration) (host string, asked chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	asked = make(chan string, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 1024)
				n, _ := c.Read(b)
				select {
				case asked <- string(b[:n]):
				default:
				}
				time.Sleep(after)
				_, _ = io.WriteString(c, answer)
			}()
		}
	}()
	return l.Addr().String(), asked
}

// Promises 1 and 2.
func TestProbe(t *testing.T) {
	for _, c := range []struct {
		story, scheme, answer string
		after                 time.Duration
		want                  bool
		asks                  string
	}{
		{"a camera that answers", "rtsp", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", 0, true, "OPTIONS rtsp://HOST/live RTSP/1.0\r\nCSeq: 1\r\n"},
		{"a camera that wants a password", "rtsp", "RTSP/1.0 401 Unauthorized\r\n\r\n", 0, true, "OPTIONS "},
		{"something else on its port", "rtsp", "SSH-2.0-OpenSSH\r\n", 0, false, "OPTIONS "},
		{"a camera that hangs", "rtsp", "", 10 * time.Minute, false, ""},
		{"a camera that closes", "rtsp", "", 0, false, "OPTIONS "},
		{"an answer without an end", "rtsp", strings.Repeat("RTSP/", 1000), 0, false, "OPTIONS "},
		{"a page", "http", "HTTP/1.1 404 Not Found\r\n\r\n", 0, true, "GET /live HTTP/1.1\r\nHost: HOST\r\n"},
		{"a port", "tcp", "", 0, true, ""},
	} {
		t.Run(c.story, func(t *testing.T) {
			t.Parallel()
			host, asked := serve(t, c.answer, c.after)
			timeout := time.Minute // a slow machine answers, too
			if c.after > 0 {
				timeout = 150 * time.Millisecond
			}
			b, err := Open(Config{ID: "probe:cam", Point: "cam", URL: c.scheme + "://" + host + "/live", Every: time.Second, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
			if err != nil || len(rs) != 1 || rs[0].Quality != drivers.Good || rs[0].Value != drivers.BoolValue(c.want) {
				t.Errorf("%v %v, want %v", rs, err, c.want)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("took %v", took)
			}
			if c.asks != "" {
				if got := <-asked; !strings.HasPrefix(got, strings.ReplaceAll(c.asks, "HOST", host)) {
					t.Errorf("asked %q", got)
				}
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	b, _ := Open(Config{Point: "cam", URL: "tcp://127.0.0.1:1", Timeout: time.Minute})
	rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
	if err != nil || rs[0].Value != drivers.BoolValue(false) {
		t.Errorf("%v %v", rs, err)
	}
	if why := b.(drivers.Reasons).Why("cam"); why == nil {
		t.Error("it does not say why")
	}
}

func TestDefaultPorts(t *testing.T) {
	for text, want := range map[string]string{"rtsp://10.0.0.1/x": "10.0.0.1:554", "http://h": "h:80", "https://h/": "h:443", "rtsp://h:8554/": "h:8554", "http://[::1]/": "[::1]:80"} {
		b, err := Open(Config{URL: text})
		if err != nil || b.(*prober).address != want {
			t.Errorf("%s: %v %v", text, b, err)
		}
	}
}

func TestConforms(t *testing.T) {
	host, _ := serve(t, "RTSP/1.0 200 OK\r\n\r\n", 0)
	conform.Check(t, conform.Subject{Open: func(t *testing.T) drivers.Bus {
		b, err := Open(Config{ID: "probe:cam", Point: "cam", URL: "rtsp://" + host, Every: time.Second, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}})
}
