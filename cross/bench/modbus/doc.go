// Package modbus measures how much of a serial line's time polls use, on lines
// that imitate their speed: in virtual time, where nothing but the protocol
// counts, and once on a pseudo terminal in real time, beside goburrow's own
// transport and a bare thread that only waits, writes and reads. There the slave is
// a process of its own, as a device is. What the wire allows is the time of the
// characters of request and answer, with the silence of 3.5 characters (1.75 ms
// above 19200 baud) that ends either; the slave answers as soon as that silence
// lets it.
//
// The measurements stand behind the build tag bench: make bench-modbus.
package modbus
