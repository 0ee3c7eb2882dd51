// Command pack writes what comes with the program (examples, profiles, standards,
// platforms' forms) as a release holds it: config/packed.bin, for the tag packed.
package main

import (
	"log"
	"os"

	"pithead/config"
)

func main() {
	packed, err := config.Pack()
	if err == nil {
		err = os.WriteFile(os.Args[1], packed, 0o600)
	}
	if err != nil {
		log.Fatal(err)
	}
}
