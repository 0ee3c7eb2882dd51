package main

import (
	"fmt"
	"text/tabwriter"

	"pithead/config"
)

// helpProfiles lists the device profiles, or shows one.
func helpProfiles(names []string, s streams) int {
	all := config.Profiles()
	if len(names) > 0 {
		for _, p := range all {
			if p.Name == names[0] {
				fmt.Fprintf(s.out, "# %s.yaml\n%s", p.Name, p.Text)
				return done
			}
		}
		fmt.Fprintf(s.err, "pithead help profiles: there is no profile %q; pithead help profiles lists them\n", names[0])
		return usage
	}
	fmt.Fprint(s.out, `pithead help profiles [NAME]

A profile brings a device's points. In the site file:

  devices:
    radar1: {bus: rs1, unit: 3, profile: radar-distance, height: 12.5}
  points:
    radar1.level: {name: 库水位, alarms: [{level: red, above: 10}]}

Its points are called DEVICE.POINT; what the site file says of one stands
instead of the profile's. points: [level] chooses among them. More profiles are
read from the folders under profiles: of the site file.

`)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, p := range all {
		tried := "tried: no"
		if p.Tried {
			tried = "tried: yes"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", p.Name, tried, p.Device)
	}
	_ = w.Flush()
	fmt.Fprint(s.out, "\npithead help profiles NAME shows one, with its parameters and its source.\n")
	return done
}
