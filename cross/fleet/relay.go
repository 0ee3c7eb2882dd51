package main

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"sync"
	"time"
)

// A relay stands before the broker, and sees who tries to connect, and when: a
// cluster that begins anew may let them in much later.
type relay struct {
	mu    sync.Mutex
	tries map[string]time.Time // by client id: the newest
}

// before listens in the broker's place; the urls are its own.
func (r *relay) before(ports []int) (urls []string, err error) {
	r.tries = map[string]time.Time{}
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		urls = append(urls, "tcp://"+l.Addr().String())
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go r.pass(c, fmt.Sprintf("127.0.0.1:%d", port))
			}
		}()
	}
	return urls, nil
}

var clientID = regexp.MustCompile(`gw-\d+`)

func (r *relay) pass(c net.Conn, to string) {
	defer c.Close()
	at := time.Now()
	connect := make([]byte, 4096)
	n, err := c.Read(connect)
	if err != nil {
		return
	}
	r.mu.Lock()
	r.tries[string(clientID.Find(connect[:n]))] = at
	r.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	if _, err := far.Write(connect[:n]); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(c, far)
		c.Close()
	}()
	_, _ = io.Copy(far, c)
}

// last is when each client tried last.
func (r *relay) last() (all []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.tries {
		all = append(all, at)
	}
	return all
}
