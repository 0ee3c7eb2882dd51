package uplink

import "pithead/config"

// Topic is where messages of a kind go: <prefix>/<site>/<gateway>/<kind>.
func Topic(site *config.Site, c config.Uplink, kind string) string {
	return c.Prefix + "/" + site.Site + "/" + site.Gateway + "/" + kind
}
