package unit

import (
	"fmt"
	"strings"
)

// managed are the folders below which systemd makes one for the service, owned
// by its user.
var managed = []struct{ folder, directive string }{
	{"/var/lib/", "StateDirectory"},
	{"/var/cache/", "CacheDirectory"},
	{"/var/log/", "LogsDirectory"},
	{"/run/", "RuntimeDirectory"},
}

// place says which directive makes the folder, and its name for it.
func place(p string) (directive, name string) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/"
	for _, m := range managed {
		if name, ok := strings.CutPrefix(p, m.folder); ok && strings.Trim(name, letters) == "" && name != "private" && !strings.HasPrefix(name, "private/") {
			return m.directive, name
		}
	}
	return "", ""
}

func (s Service) checkWrite(p string) error {
	if err := checkPath("Write", p); err != nil {
		return err
	}
	if err := checkVisible("Write", p); err != nil {
		return err
	}
	for _, never := range []string{"/", "/etc", "/usr", "/proc", "/sys", "/boot", "/run", "/var", "/var/lib", "/etc/systemd", "/run/systemd"} {
		if p == never {
			return fmt.Errorf("unit: Write %q would undo the hardening: name the service's own folder", p)
		}
	}
	for _, never := range []string{"/proc/", "/sys/", "/etc/systemd/", "/run/systemd/"} {
		if strings.HasPrefix(p, never) {
			return fmt.Errorf("unit: Write %q would undo the hardening", p)
		}
	}
	if directive, _ := place(p); directive == "" && s.User == "" && len(s.Exec) > 0 {
		return fmt.Errorf("unit: Write %q belongs to nobody that a service without User can be: use a folder below /var/lib, /var/cache, /var/log or /run, or name a User", p)
	}
	return nil
}

// writeLines open what the service may write.
func (s Service) writeLines() []line {
	if len(s.Write) == 0 {
		return nil
	}
	lines := comment("All that it may write.")
	modes := map[string]bool{}
	for _, p := range s.Write {
		directive, name := place(p)
		if directive == "" {
			lines = append(lines, line{"ReadWritePaths", quote(p)})
			continue
		}
		lines = append(lines, line{directive, name})
		if !modes[directive] {
			modes[directive] = true
			lines = append(lines, line{directive + "Mode", "0700"})
		}
	}
	return lines
}
