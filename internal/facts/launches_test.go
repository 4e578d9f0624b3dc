package facts_test

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// TestRoleOf takes command lines as ps(1) shows them on machines in use.
func TestRoleOf(t *testing.T) {
	for args, want := range map[string]facts.Role{
		"":                                    facts.Another, // a thread of the kernel
		"-bash":                               facts.Asks,
		"/bin/bash --norc -i":                 facts.Asks,
		"zsh":                                 facts.Asks,
		"sh -e":                               facts.Asks,
		"busybox sh":                          facts.Asks,
		"busybox":                             facts.Asks,
		"sh -c ./server":                      facts.Launches,
		"/bin/sh -euc ./server":               facts.Launches,
		"bash ./run.sh":                       facts.Launches,
		"busybox sh -c ./server":              facts.Launches,
		"sudo -u app ./server":                facts.Launches,
		"/usr/bin/strace -f ./server":         facts.Launches,
		"unshare -n bash":                     facts.Launches,
		"/usr/bin/dumb-init -- ./server":      facts.Launches,
		"/lib/systemd/systemd --user":         facts.Another,
		"/sbin/init":                          facts.Another,
		"sshd: app@pts/0":                     facts.Another,
		"/usr/bin/containerd-shim-runc-v2 -n": facts.Another,
	} {
		if got := facts.RoleOf(strings.Fields(args)); got != want {
			t.Errorf("RoleOf(%q) = %v, want %v", args, got, want)
		}
	}
}
