package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"pithead/drivers"
)

// take puts one member where it belongs.
func (p *Parsed) take(name string, raw json.RawMessage) error {
	switch name {
	case "value":
		v, err := valueOf(raw)
		p.Value = v
		return err
	case "q":
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		q, ok := drivers.ParseQuality(s)
		if !ok {
			return fmt.Errorf("%.40q is no quality", s)
		}
		p.Quality = q
		return nil
	case "t":
		p.Known = true
	case "v":
		if string(raw) != "1" {
			return fmt.Errorf("version %.20s is not known here", raw)
		}
		return nil
	case "sig":
		return nil
	}
	if to := p.target(name); to != nil {
		return json.Unmarshal(raw, to)
	}
	p.More = append(p.More, Field{name, raw})
	return nil
}

// target is where a common member goes as it is.
func (p *Parsed) target(name string) any {
	switch name {
	case "epoch":
		return &p.Epoch
	case "n":
		return &p.N
	case "stored":
		return &p.Stored
	case "boot":
		return &p.Boot
	case "m":
		return &p.M
	case "t":
		return &p.T
	case "kind":
		return &p.Kind
	case "id":
		return &p.ID
	case "name":
		return &p.Name
	case "state":
		return &p.State
	case "level":
		return &p.Level
	case "point":
		return &p.Point
	case "limit":
		return &p.Limit
	case "by":
		return &p.By
	case "why":
		return &p.Why
	case "chain":
		return &p.Chain
	case "alg":
		return &p.Alg
	case "kid":
		return &p.Kid
	}
	return nil
}

// valueOf reads a value: a number is a float unless only an integer holds it
// exactly.
func valueOf(raw json.RawMessage) (drivers.Value, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return drivers.TextValue(s), err
	case 't', 'f':
		return drivers.BoolValue(raw[0] == 't'), nil
	case '{', '[', 'n':
		return drivers.Value{}, errors.New("neither number, truth nor text")
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return drivers.Value{}, err
	}
	if u, err := strconv.ParseUint(string(raw), 10, 64); err == nil && u > 1<<53 {
		return drivers.UintValue(u), nil
	}
	if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil && i < -1<<53 {
		return drivers.IntValue(i), nil
	}
	return drivers.NumberValue(f), nil
}
