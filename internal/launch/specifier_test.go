package launch

import "testing"

// A unit with a letter behind "%" that stands for nothing, or with a quote that has no end, is not
// loaded, whichever command it is of; behind "-" systemd passes over the line. Each was asked of
// systemd 252.
func TestUnresolved(t *testing.T) {
	const start = "ExecStart=/usr/bin/app\n"
	for lines, loads := range map[string]bool{
		"ExecStart=/usr/bin/app http://x/%20b":   false,
		"ExecStart=/usr/bin/app %Z":              false,
		"ExecStart=/usr/bin/app x%zy":            false,
		"ExecStart=-/usr/bin/app %Z":             false, // none is left
		"ExecStart=/usr/bin/a%Zpp":               false,
		"ExecStart=/usr/bin/app %%20":            true,
		"ExecStart=/usr/bin/app 100%":            true,
		"ExecStart=/usr/bin/app %- %r":           true,
		"ExecStart=/usr/bin/app \"x":             false,
		"ExecStart=/usr/bin/app \"x\" 'y\\' z'":  true,
		start + "ExecStop=/usr/bin/app \"x":      false,
		start + "ExecStop=-/usr/bin/app \"x":     true,
		start + "ExecStartPost=/usr/bin/app %k":  false,
		start + "ExecStartPost=-/usr/bin/app %k": true,
		start + "ExecReload=/usr/bin/app %2":     false,
		start + "User=%Z":                        false,
		start + "WorkingDirectory=/%Z":           false,
		start + "EnvironmentFile=/%Z":            true,
	} {
		u, err := Read(disk("-- srv/k.service --\n[Service]\n"+lines+"\n-- usr/bin/app --\n"), "/srv/k.service")
		if err == nil {
			_, err = u.Main("")
		}
		if (err == nil) != loads {
			t.Errorf("%s: %v, want it loaded: %t", lines, err, loads)
		}
	}
}
