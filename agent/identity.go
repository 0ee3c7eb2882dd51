package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pithead/agent/event"
	"pithead/config"
)

// identify finds the gateway's key; a gateway without one makes one. A key that
// can't be read is no reason not to guard: it is told, and another signs.
func (a *agent) identify(dir string) (faults []string, err error) {
	own := filepath.Join(dir, config.IdentityFile)
	usual := filepath.Join(a.site.Buffer.Dir, config.IdentityFile) // also of a buffer that can't be written
	for _, path := range slices.Compact([]string{a.site.Identity, usual, own}) {
		k, err := event.LoadKey(path)
		if none := errors.Is(err, os.ErrNotExist); none && path != "" && (path == own || path == a.site.Identity) {
			k, err = event.NewKey(path)
		} else if none {
			continue
		}
		if err != nil {
			faults = append(faults, "the identity: "+err.Error())
			continue
		}
		a.key, a.keyFile = k, path
		if a.heir, err = event.LoadKey(event.NextKey(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, "the next identity: "+err.Error())
		}
		return faults, nil
	}
	if err := os.Rename(own, own+".bad"); err != nil {
		return faults, err
	}
	a.key, err = event.NewKey(own)
	a.keyFile, a.heir = own, nil
	return faults, err
}

// signer is the kid that signs behind the newest event that is known; empty
// where none is.
func (f *fold) signer() string {
	p, err := event.Parse(f.Last)
	if err != nil {
		return ""
	}
	if h, ok := p.Handover(); ok {
		return event.KidOf(h.New)
	}
	return p.Kid
}

// inheritKey lets the next key sign if it did already, and the power went, or the
// folder could not be written, before it took the place of the one before.
func (a *agent) inheritKey() []string {
	if a.heir == nil || a.rec.fold.signer() != a.heir.Kid() {
		return nil
	}
	return a.succeed()
}

// handOver has the key that waits follow the one that signs, by an event that both
// sign. While the disk does not take that the old one goes on.
func (a *agent) handOver() (faults []string) {
	if a.heir == nil {
		return nil
	}
	r, s := a.rec, a.clock.Now()
	payload := r.chain.HandOver(a.heir, event.Stamp{Boot: a.boot, M: s.M, T: s.T, Known: s.Known()})
	if err := r.events.Append(payload, 1); err != nil {
		return []string{"the next identity can't be introduced yet: " + err.Error()}
	}
	r.chain.Commit()
	r.remember(payload)
	a.Log.Warn("another key signs from here on", "old", a.key.Kid(), "new", a.heir.Kid())
	return a.succeed()
}

func (a *agent) succeed() []string {
	a.key, a.heir = a.heir, nil
	if err := event.Succeed(a.keyFile); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// another says why what is stored is another gateway's: then a new epoch begins.
// Empty where it is this one's, as far as can be known.
func (a *agent) another() string {
	f := a.rec.fold
	if kid := f.signer(); kid != "" && kid != a.key.Kid() {
		return fmt.Sprintf("the identity is another one: %s signed so far, %s signs from here on", kid, a.key.Kid())
	}
	if f.Board != "" && a.Board != "" && f.Board != a.Board {
		return fmt.Sprintf("the board is another one: its serial number was %s and is %s", f.Board, a.Board)
	}
	return ""
}

// BoardSerial is the board's serial number, where it has one that anybody may
// read: the device tree's. It outlives the card.
func BoardSerial() string {
	b, err := os.ReadFile("/proc/device-tree/serial-number")
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), "\x00 \n")
}
