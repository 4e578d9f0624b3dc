package main

import (
	"strings"
	"testing"
)

// What a drop-in would not say is refused, and not left out.
func TestDropIn(t *testing.T) {
	for flags, ok := range map[string]bool{
		"-user app -group app -workdir /srv -write /srv/a -after x.service -wants x.service -requires x.service -outbound -jit": true,
		"-socket -listen :443 -description web": true,
		"-name web":                             false, "-type notify": false, "-env A=1": false, "-env-file /etc/web": false,
		"-restart always": false, "-restart-sec 1": false, "-wanted-by web.target": false,
	} {
		o, err := parse(append([]string{"-drop-in", "web.service"}, strings.Fields(flags)...))
		if err == nil {
			_, err = o.files()
		}
		if (err == nil) != ok {
			t.Errorf("%s: %v", flags, err)
		}
	}
}
