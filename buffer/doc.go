// Package buffer is a log on disk with several lanes: bytes in, bytes out,
// numbers and positions. It knows nothing of what the bytes mean.
//
// What it promises, as long as the disk keeps what it said it synced:
//
//  1. When Append returns nil, its records are on disk, and every reader gets
//     them in order, once, until their space is needed.
//  2. A number is given to one record only within an epoch. When Append returns
//     an error, nothing was numbered. Where Open knows that the newest of a lane
//     is lost, it begins a new epoch behind what is there, and says why.
//  3. No reader of a Log gets a frame that is not yet on disk.
//  4. Nothing is invented: a frame is delivered as it was appended, or not at all.
//  5. What is missing is told exactly (Lost), whether it was dropped for space or
//     is damaged; damage costs the frame that it hits and no other.
//  6. A lane never takes more of the disk than its size, at no moment.
//  7. Open works in every state that a crash, a full disk, a bad sector or a
//     missing file leaves, reads the newest segment of each lane and no other,
//     and needs nobody's help.
//  8. A position that was set is on disk with the next frame, or the next Flush.
//
// README.md has the bytes, and what each crash can leave.
package buffer
