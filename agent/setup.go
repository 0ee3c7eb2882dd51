package agent

import (
	"pithead/agent/alarm"
	"pithead/config"
	"pithead/drivers"
)

// addSetups stands an alarm for each device that is to be set up. One that
// refuses is read all the same, but it may measure in another range, or by
// another filter, than its points are scaled for: a person must know.
func (j *judge) addSetups(site *config.Site) {
	names := map[string]string{}
	for _, d := range site.Devices {
		names[d.ID] = d.Name
	}
	for _, b := range site.Buses {
		if b.Modbus == nil {
			continue
		}
		for _, u := range b.Modbus.Units {
			if len(u.Setup) == 0 {
				continue
			}
			level := alarm.Yellow
			if gone, ok := j.apart["device:"+u.ID+"/fault"]; ok {
				level = max(level, gone.Def().Level)
			}
			j.stand(&alarm.Def{ID: setupOf(u.ID), Name: names[u.ID], Level: level, Condition: alarm.Equals, Equal: drivers.BoolValue(true), Line: u.Setup[0].Line})
		}
	}
}

func setupOf(device string) string { return "device:" + device + "/setup" }
