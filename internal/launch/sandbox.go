package launch

import (
	"path"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// filtered says whether the unit has a seccomp filter of any kind: each of these
// makes one.
func (s settings) filtered() bool {
	return s.on("LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock", "ProtectHostname",
		"ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "RestrictRealtime", "RestrictSUIDSGID", "DynamicUser") ||
		s.some("RestrictAddressFamilies", "SystemCallFilter", "SystemCallArchitectures", "SystemCallLog") || s.restrictsNamespaces()
}

// restrictsNamespaces reports whether RestrictNamespaces= makes a filter: it adds up lists
// of the types that are let through, and a value with a word that is none is passed over.
func (s settings) restrictsNamespaces() bool {
	types := strings.Fields("cgroup ipc net mnt pid user uts")
	allowed, first := types, true
	for _, e := range s.entries("Service", "RestrictNamespaces") {
		value, deny := strings.CutPrefix(e.value, "~")
		list := split(value)
		if on, ok := boolean(value); ok {
			allowed, first, list = nil, true, nil
			if !on {
				allowed = types
			}
			continue
		}
		if slices.ContainsFunc(list, func(t string) bool { return !slices.Contains(types, t) }) {
			continue
		}
		if first && !deny {
			allowed = nil
		}
		first = false
		for _, t := range list {
			allowed = slices.DeleteFunc(slices.Clone(allowed), func(is string) bool { return is == t })
			if !deny {
				allowed = append(allowed, t)
			}
		}
	}
	return len(allowed) < len(types)
}

// noNewPrivs reports whether systemd sets no_new_privs: where the unit says so, and for a
// filter where the process may not make one otherwise (context_has_no_new_privileges). Since
// version 255 it may, as systemd keeps what that takes over the change of user, unless the
// filter refuses the calls that drop it again (seccomp_allows_drop_privileges).
func (u *Unit) noNewPrivs(admin bool) bool {
	switch {
	case u.set.forbids():
		return true
	case admin || !u.set.filtered():
		return false
	case u.User || u.Build.Version < 255:
		return true
	}
	for _, call := range []string{"capget", "capset", "prctl"} {
		if _, allowed := u.set.call(call); !allowed {
			return true
		}
	}
	return false
}

// mayForbid reports whether no_new_privs depends on a version of systemd that is not known.
func (u *Unit) mayForbid(who facts.Account) bool {
	return u.Build.Version == 0 && !u.User && who.UID != 0 && !u.set.forbids() && u.set.filtered()
}

// forbids says whether the unit itself says NoNewPrivileges=, or means it.
func (s settings) forbids() bool { return s.on("NoNewPrivileges", "DynamicUser") }

// mounts says whether the service gets a mount namespace of its own, which takes
// root or a user namespace (exec_needs_mount_namespace).
func (s settings) mounts() bool {
	not := func(key string, words ...string) bool {
		v := s.enum(key)
		on, ok := boolean(v)
		return v != "" && (on || !ok) && !slices.Contains(words, v)
	}
	return s.on("PrivateDevices", "PrivateMounts", "PrivateIPC", "ProtectKernelTunables", "ProtectKernelModules",
		"ProtectKernelLogs", "DynamicUser") ||
		s.some("RootDirectory", "RootImage", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths",
			"BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "MountImages", "ExtensionImages", "ExtensionDirectories", "LogNamespace", "IPCNamespacePath") ||
		not("PrivateTmp") || not("ProtectControlGroups") || not("ProtectSystem") || not("ProtectHome") || not("ProtectProc", "default") ||
		not("ProcSubset", "all") || not("MountFlags", "shared")
}

// mounted are the paths that are mounted anew: each has to be there, but for those with
// "-" before them.
func mounted(u *Unit, at place) error {
	if u.User { // see sandboxesItself; for "+" nothing is mounted
		return nil
	}
	keys := []string{"ReadWritePaths", "BindPaths", "BindReadOnlyPaths"} // also for "+" (apply_mount_namespace)
	if !at.command.Bare() {
		keys = append(keys, "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths")
	}
	optional := map[string]bool{}
	missing := map[string]entry{}
	for _, key := range keys {
		for _, e := range u.set.entries("Service", key) {
			for _, word := range split(e.value) {
				p, _, _ := strings.Cut(strings.TrimLeft(word, "-+"), ":")
				p, ok := u.expanded(e, p)
				if optional[p] = optional[p] || strings.HasPrefix(word, "-"); ok && path.IsAbs(p) && !u.makes(p) && !u.exists(at, e, p) {
					missing[p] = e
				}
			}
		}
	}
	for p, e := range missing {
		if !optional[p] {
			return stops("226/NAMESPACE", "%s: %s is not there", e, p)
		}
	}
	demanded := u.demanded()
	for p, e := range missing {
		if demanded[p] { // one line may do without it and another may not (drop_duplicates)
			u.doubt("%s: whether systemd does without %s is not known", e, p)
		}
	}
	for _, key := range []string{"RootDirectory", "RootImage"} {
		if e, ok := u.set.lastEntry(key); ok {
			if p, ok := u.expanded(e, e.value); ok && !u.exists(at, e, p) {
				return stops("226/NAMESPACE", "%s is not there", e)
			}
		}
	}
	return nil
}

// demanded are the paths that are named without the "-" that lets them be missing.
func (u *Unit) demanded() map[string]bool {
	all := map[string]bool{}
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths"} {
		for _, word := range u.set.words(key) {
			from, _, _ := strings.Cut(strings.TrimPrefix(word, "+"), ":")
			all[from] = true
		}
	}
	return all
}

// within says whether the program lies in one of the folders.
func within(program string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return program == f || strings.HasPrefix(program, strings.TrimSuffix(f, "/")+"/")
	})
}

// paths are those that a directive lists, without the marks before them and what
// a colon divides from them.
func (s settings) paths(key string) []string {
	var all []string
	for _, w := range s.words(key) {
		all = append(all, path.Clean(strings.SplitN(strings.TrimLeft(w, "-+"), ":", 2)[0]))
	}
	return all
}

// The folders of ProtectHome= and PrivateTmp=.
var (
	homes = []string{"/home", "/root", "/run/user"}
	temps = []string{"/tmp", "/var/tmp"}
)

// nosuid says whether systemd makes the mount of the program nosuid: in a mount
// namespace of a unit that says NoNewPrivileges=, what any of its directives
// mounts anew (setup_namespace, make_nosuid).
func (s settings) nosuid(program string) bool {
	if !s.forbids() {
		return false
	}
	var folders []string
	switch system := s.enum("ProtectSystem"); {
	case system == "strict" || s.is("DynamicUser"):
		folders = append(folders, "/")
	case system == "full":
		folders = append(folders, "/usr", "/boot", "/efi", "/etc")
	case s.says("ProtectSystem"):
		folders = append(folders, "/usr", "/boot", "/efi")
	}
	if s.says("ProtectHome", "read-only", "tmpfs") {
		folders = append(folders, homes...)
	}
	if s.says("PrivateTmp", "disconnected") {
		folders = append(folders, temps...)
	}
	if s.is("ProtectKernelModules") {
		folders = append(folders, "/lib/modules", "/usr/lib/modules")
	}
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "ExecPaths", "NoExecPaths"} {
		folders = append(folders, s.paths(key)...)
	}
	return within(program, folders...)
}

// hides names the directive that takes the program away from the service, "" for
// none.
func (s settings) hides(program string) string {
	longest := func(folders []string) int {
		n := 0
		for _, f := range folders {
			if within(program, f) {
				n = max(n, len(f))
			}
		}
		return n
	}
	switch {
	case within(program, append(s.paths("BindPaths"), s.paths("BindReadOnlyPaths")...)...):
		return "" // what lies there then is not looked at: see unseen
	case s.says("ProtectHome", "tmpfs") && within(program, homes...):
		return "ProtectHome="
	case (s.says("PrivateTmp", "disconnected") || s.is("DynamicUser")) && within(program, temps...):
		return "PrivateTmp="
	case within(program, s.paths("InaccessiblePaths")...):
		return "InaccessiblePaths="
	case within(program, s.paths("TemporaryFileSystem")...):
		return "TemporaryFileSystem="
	case longest(s.paths("NoExecPaths")) > longest(s.paths("ExecPaths")):
		return "NoExecPaths="
	}
	return ""
}

// unseen names a directive with which the program is another file than the one
// that is seen from here, or its namespaces are others, or that says what is not
// understood; "" for none.
func (s settings) unseen(program string) string {
	for _, key := range []string{"RootDirectory", "RootImage", "ExtensionImages", "ExtensionDirectories", "MountImages", "UserNamespacePath", "DelegateNamespaces", "PrivatePIDs"} {
		if v := s.last(key); v != "" && !isNo(v) {
			return key + "="
		}
	}
	for _, key := range []string{"BindPaths", "BindReadOnlyPaths"} {
		for _, w := range s.words(key) {
			from, to, _ := strings.Cut(strings.TrimLeft(w, "-+"), ":")
			to, _, _ = strings.Cut(to, ":")
			if to == "" {
				to = from
			}
			if path.Clean(from) != path.Clean(to) && within(program, path.Clean(to)) {
				return key + "="
			}
		}
	}
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths"} {
		if slices.ContainsFunc(s.paths(key), func(p string) bool { return strings.Contains(p, "%") }) {
			return key + "="
		}
	}
	return ""
}

func isNo(v string) bool {
	on, ok := boolean(v)
	return ok && !on
}

// family says whether RestrictAddressFamilies= leaves sockets of a family, such
// as "AF_INET".
func (s settings) family(name string) bool {
	values := s.all("Service", "RestrictAddressFamilies")
	if len(values) == 0 {
		return true
	}
	// The first value says whether the list allows or denies.
	allowed := strings.HasPrefix(values[0], "~")
	for i, v := range values {
		rest, deny := strings.CutPrefix(v, "~")
		if slices.Contains(split(rest), name) {
			allowed = !deny
		}
		if v == "none" { // and the list begins anew
			allowed = i+1 < len(values) && strings.HasPrefix(values[i+1], "~")
		}
	}
	return allowed
}
