package buffer

import "path/filepath"

// SetAside moves the log of a folder out of the way, as Open does with one that
// it can't read, so that the next Open begins a new epoch: for a caller that
// can't go on from what its records say. It is ErrLocked while a process has
// the log open.
func SetAside(dir string) (kept string, err error) {
	unlock, err := lock(dir)
	if err != nil {
		return "", err
	}
	defer unlock.Close()
	return moveAside(disk{}, dir, filepath.Join(dir, "log"))
}
