package agent

import (
	"pithead/config"
	"pithead/drivers/modbus"
)

// ordersOf is what the registers of a point would mean in each byte order, so
// that a technician sees which one is sane.
func ordersOf(site *config.Site, p *config.Point, raw []uint16) (out []LocalOrder) {
	r := registerOf(site, p)
	if r == nil || len(raw) < 2 {
		return nil
	}
	for i, v := range r.InEachOrder(raw) {
		o := modbus.Order(i)
		out = append(out, LocalOrder{Order: o.String(), Value: v, Set: o == r.Order})
	}
	return out
}

func registerOf(site *config.Site, p *config.Point) *modbus.PointConfig {
	for _, b := range site.Buses {
		if b.ID != p.Bus || b.Modbus == nil {
			continue
		}
		for _, u := range b.Modbus.Units {
			if u.ID != p.Device {
				continue
			}
			for i := range u.Points {
				if u.Points[i].ID == p.ID {
					return &u.Points[i]
				}
			}
		}
	}
	return nil
}
