package agent

import (
	"sync"
)

// A mailbox hands wishes to a loop without ever holding up who sends them; of
// an output only the newest wish counts.
type mailbox struct {
	wake chan struct{} // holds one
	box  *struct {
		sync.Mutex
		wants map[string]bool
		asks  []ask
	}
}

func newMailbox() mailbox {
	m := mailbox{wake: make(chan struct{}, 1)}
	m.box = new(struct {
		sync.Mutex
		wants map[string]bool
		asks  []ask
	})
	return m
}

func (m mailbox) want(output string, on bool) {
	m.box.Lock()
	if m.box.wants == nil {
		m.box.wants = map[string]bool{}
	}
	m.box.wants[output] = on
	m.box.Unlock()
	m.ring()
}

func (m mailbox) ask(a ask) {
	m.box.Lock()
	m.box.asks = append(m.box.asks, a)
	m.box.Unlock()
	m.ring()
}

func (m mailbox) ring() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m mailbox) take() (map[string]bool, []ask) {
	m.box.Lock()
	defer m.box.Unlock()
	w, a := m.box.wants, m.box.asks
	m.box.wants, m.box.asks = nil, nil
	return w, a
}
