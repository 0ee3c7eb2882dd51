package agent

import (
	"strings"
	"time"

	"pithead/buffer"
)

// A position of an uplink that has left the site file is kept for so long: it
// may come back, and then goes on where it was.
const keepPosition = 30 * 24 * time.Hour

// removed is where the buffer remembers, in Unix seconds, since when an uplink
// is gone: removed/ID. It is no lane, so no number in it is ahead of anything.
const removed = "removed"

// forget drops the positions of uplinks that are gone for long.
func forget(log *buffer.Log, uplinks map[string]bool, now Stamp) {
	all := log.Positions()
	for name := range all {
		lane, id, _ := strings.Cut(name, "/")
		since, gone := all[removed+"/"+id]
		switch {
		case lane == removed && uplinks[id]:
			log.DropPosition(name)
		case lane == removed || uplinks[id] || !now.Known():
		case !gone || since > uint64(now.T/1000): // or the clock was wrong
			log.SetPosition(removed+"/"+id, uint64(now.T/1000))
		case time.Duration(uint64(now.T/1000)-since)*time.Second > keepPosition:
			log.DropPosition(name)
			log.DropPosition(removed + "/" + id)
		}
	}
}
