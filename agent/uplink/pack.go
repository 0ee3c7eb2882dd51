package uplink

import "github.com/klauspost/compress/zstd"

// packWindow bounds what an encoder remembers, and so its memory. A message is
// seldom longer.
const packWindow = 256 << 10

// pack makes a message's payload a zstd frame (RFC 8878), where the uplink says
// compress: zstd. Events, replies and the status stay as they were signed or are
// few; a subscriber knows a frame by its first four bytes, 28 b5 2f fd, which no
// JSON begins with.
func (u *Uplink) pack(m message) message {
	if !u.cfg.Compress || !m.packs || len(m.payload) == 0 {
		return m
	}
	if u.zstd == nil {
		// The fastest level packs readings best: what repeats, repeats at short
		// distances. No option of these can be wrong.
		u.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(packWindow), zstd.WithLowerEncoderMem(true))
	}
	m.payload = u.zstd.EncodeAll(m.payload, make([]byte, 0, len(m.payload)/4))
	return m
}
