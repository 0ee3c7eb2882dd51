package gpio

import (
	"fmt"
	"strings"
	"testing"
)

func TestNamesOfLines(t *testing.T) {
	f := newBoard()
	f.named = map[int]string{3: "GPIO3", 7: "DOOR", 8: "DOOR", 9: "P8_12", 17: "SPI_CE1_N"}
	for _, c := range []struct{ chip, pin, want string }{
		{"box", "0", "0"},
		{"box", "31", "31"},
		{"box", "32", "line 32: box has lines 0 to 31"},
		{"box", "-1", "line -1: box has lines 0 to 31"},
		{"box", "GPIO3", "3"},
		{"box", "P8_12", "9"},
		{"box", "DOOR", "lines 7 and 8 of box are both called DOOR; give the offset"},
		{"box", "", "box has no line "},
		{"box", "P1_11", "box has no line P1_11"}, // only a Raspberry Pi has that header
		{"box", "GPIO17", "box has no line GPIO17"},
		{"pinctrl-bcm2835", "P1_11", "17"},
		{"pinctrl-bcm2711", "P1_3", "2"},
		{"pinctrl-rp1", "P1_29", "5"},
		{"pinctrl-rp1", "GPIO17", "17"}, // the kernel calls it otherwise there
		{"pinctrl-bcm2711", "GPIO3", "3"},
		{"pinctrl-bcm2711", "P1_1", "pinctrl-bcm2711 has no line P1_1"},   // 3.3 V
		{"pinctrl-bcm2711", "P1_9", "pinctrl-bcm2711 has no line P1_9"},   // ground
		{"pinctrl-bcm2711", "P1_41", "pinctrl-bcm2711 has no line P1_41"}, // not there
	} {
		f.tag = c.chip
		offset, err := resolve(f, c.pin)
		got := fmt.Sprint(offset)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.pin, c.chip, got, c.want)
		}
	}
}

func TestAChipThatIsNotThere(t *testing.T) {
	for _, name := range []string{"gpiochip4242", "no such label", "/dev/gpiochip4242", "/dev/null", "null"} {
		c, err := dial(name)
		if err == nil {
			t.Errorf("%s is a chip: %s", name, c.label())
		}
	}
	b, err := Open(Config{ID: "b", Chip: "gpiochip4242", Inputs: []InputConfig{{ID: "p", Pin: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Units()[0].Polls[0].Driver.Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "gpiochip4242") {
		t.Errorf("the error does not name the chip: %v", err)
	}
}
