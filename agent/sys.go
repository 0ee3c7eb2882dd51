package agent

import (
	"pithead/agent/alarm"
	"pithead/drivers"
)

// The agent's own alarms, red.
const (
	agentConfig = "agent/config" // the site file that was asked for is not the one that runs
	agentBuffer = "agent/buffer" // the disk does not take what is to be stored
	agentSafe   = "agent/safe"   // it crashed again and again, and does no more than guard
)

// setAgent raises or ends one of the agent's own alarms.
func (j *judge) setAgent(id string, on bool, why string) {
	s := j.apart[id]
	c, changed := s.Step(alarm.Sample{At: j.now(), Value: drivers.BoolValue(on), Quality: drivers.Good})
	if changed {
		j.changed(s, c, "", why)
	}
}
