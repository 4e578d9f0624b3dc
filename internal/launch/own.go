package launch

import (
	"fmt"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// OwnManager is a user's own manager, which the user's systemd is: as it runs or, where it
// does not, one that holds nothing, of a system with that process 1. It can give what it
// holds, and take away nothing. The error says that it does not start the command.
func (u *Unit) OwnManager(c Command, runs, system facts.Fact[caps.State]) (facts.Fact[caps.State], error) {
	m := runs
	if m.State == facts.Absent {
		m = system
		m.Value = caps.State{Bounding: system.Value.Bounding}
	}
	switch v := u.Build.Version; {
	case m.Value.Permitted&^m.Value.Ambient == 0:
	case v == 255: // it executes another program for each service, which gets what is ambient
		m.Value.Permitted, m.Value.Effective = m.Value.Ambient, m.Value.Ambient
	case v == 0 || v == 256:
		u.doubt("whether a user's own manager gives what it holds differs between versions of systemd")
	}
	if m.State != facts.Known || c.Bare() || u.sandboxesItself() || m.Value.Effective.Has(caps.SETPCAP) {
		return m, nil
	}
	wanted := u.capSet("AmbientCapabilities", 0) & m.Value.Bounding & u.bounding()
	why := ""
	switch {
	case !u.bounding().Contains(m.Value.Bounding): // capability_bounding_set_drop
		why = "a user's own manager cannot take capabilities from the bounding set"
	case !m.Value.Permitted.Contains(wanted): // capability_ambient_set_apply
		why = "a user's own manager has no capabilities to give"
		if held := m.Value.Permitted; held != 0 {
			why = fmt.Sprintf("the user's own manager has %s alone to give", held)
		}
	}
	if why == "" {
		return m, nil
	}
	return m, fmt.Errorf("%s: %w", u.Name, stops("218/CAPABILITIES", "%s", why))
}

// sandboxesItself reports whether a user's own manager makes a user namespace for the unit, in
// which it holds everything.
func (u *Unit) sandboxesItself() bool {
	return u.User && (u.set.mounts() || u.set.says("PrivateUsers", usersApart...))
}

// systemsAlone are directives that take privileges a user's own manager may not have.
var systemsAlone = []string{"User", "Group", "SupplementaryGroups", "DynamicUser", "PrivateNetwork", "NetworkNamespacePath", "SecureBits",
	"CPUSchedulingPolicy", "IOSchedulingClass", "Nice", "OOMScoreAdjust", "PAMName", "LoadCredential", "LogNamespace", "AppArmorProfile", "SELinuxContext",
	"SmackProcessLabel", "TTYPath", "RestrictFileSystems", "SocketBindDeny", "IPAddressDeny", "ConfigurationDirectory"}

// privileges doubts what a user's own manager may not be able to do.
func privileges(u *Unit, at place) error {
	if !u.User {
		return nil
	}
	for _, e := range u.set {
		if e.section == "Service" && e.value != "" && slices.Contains(systemsAlone, e.key) {
			u.doubt("%s: whether a user's own manager can do it is not looked at", e)
		}
	}
	return nil
}

// usersApart are the values of PrivateUsers= that make a user namespace, beside yes.
var usersApart = []string{"self", "identity", "full", "managed"}
