// Package board boots an emulated ARM board with GPIO lines, a disk and a
// network, puts the released binary into it and drives the lines from outside.
// It knows nothing of what the agent does with them.
//
//	parts, err := board.Prepare("arm64")
//	b, err := board.Boot(parts, board.Config{Chips: []board.Chip{{Label: "box", Lines: []string{"door", "siren"}}}})
//	defer b.Cut()
//	b.Put("/etc/site.yaml", site)
//	b.Start("pithead run /etc/site.yaml")
//	b.Pull("door", true)
//
// What stands on the host's loopback is 10.0.2.2 to the board. The kernel is
// Debian's; the chips are gpio-sim, built from Debian's source (parts.sh). What
// that takes is fetched once and kept in the user's cache folder.
package board
