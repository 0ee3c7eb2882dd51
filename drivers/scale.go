package drivers

// A Scale turns what a device sent into a value. The zero Scale passes numbers on.
type Scale struct {
	Mul, Add float64      // value = raw*Mul + Add, where Linear
	Linear   bool         // Mul and Add count
	Curve    [][2]float64 // raw, value; raw rising; straight lines between; nil = none
	Decimals int          // of the value, 0 to 15; -1 = as it is
	Valid    *[2]float64  // raw outside is bad
	Void     []uint64     // raw bit patterns, as wide as the type, that mean "no value"
	Range    *[2]float64  // value outside is bad
}
