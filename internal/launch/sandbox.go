package launch

import (
	"path"
	"slices"
	"strings"
)

// filtered says whether the unit has a seccomp filter of any kind: each of these
// makes one.
func (s settings) filtered() bool {
	return s.on("LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock", "ProtectHostname",
		"ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "RestrictRealtime", "RestrictSUIDSGID", "DynamicUser") ||
		s.some("RestrictAddressFamilies", "SystemCallFilter", "SystemCallArchitectures", "SystemCallLog") || s.restrictsNamespaces()
}

func (s settings) restrictsNamespaces() bool {
	v := s.last("RestrictNamespaces")
	on, ok := boolean(v)
	return on || !ok && v != ""
}

// noNewPrivs says whether systemd sets no_new_privs: where the unit says so, and
// for a filter where the process may not make one otherwise
// (context_has_no_new_privileges).
func (s settings) noNewPrivs(admin bool) bool {
	return s.forbids() || !admin && s.filtered()
}

// forbids says whether the unit itself says NoNewPrivileges=, or means it.
func (s settings) forbids() bool { return s.on("NoNewPrivileges", "DynamicUser") }

// mounts says whether the service gets a mount namespace of its own, which takes
// root or a user namespace (exec_needs_mount_namespace).
func (s settings) mounts() bool {
	not := func(key string, words ...string) bool {
		v := strings.ToLower(s.last(key))
		on, ok := boolean(v)
		return v != "" && (on || !ok) && !slices.Contains(words, v)
	}
	return s.on("PrivateTmp", "PrivateDevices", "PrivateMounts", "PrivateIPC", "ProtectKernelTunables", "ProtectKernelModules",
		"ProtectKernelLogs", "ProtectControlGroups", "DynamicUser") ||
		s.some("RootDirectory", "RootImage", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths",
			"BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "MountImages", "ExtensionImages", "ExtensionDirectories", "LogNamespace", "IPCNamespacePath") ||
		not("ProtectSystem") || not("ProtectHome") || not("ProtectProc", "default") || not("ProcSubset", "all") || not("MountFlags", "shared")
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
	switch system := strings.ToLower(s.last("ProtectSystem")); {
	case system == "strict" || s.is("DynamicUser"):
		folders = append(folders, "/")
	case system == "full":
		folders = append(folders, "/usr", "/boot", "/efi", "/etc")
	case s.is("ProtectSystem"):
		folders = append(folders, "/usr", "/boot", "/efi")
	}
	if home := strings.ToLower(s.last("ProtectHome")); s.is("ProtectHome") || home == "read-only" || home == "tmpfs" {
		folders = append(folders, homes...)
	}
	if s.is("PrivateTmp") {
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
	case slices.Contains([]string{"1", "yes", "y", "true", "t", "on", "tmpfs"}, strings.ToLower(s.last("ProtectHome"))) && within(program, homes...):
		return "ProtectHome="
	case s.on("PrivateTmp", "DynamicUser") && within(program, temps...):
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
func (s settings) unseen() string {
	for _, key := range []string{"RootDirectory", "RootImage", "ExtensionImages", "ExtensionDirectories", "MountImages", "BindPaths", "BindReadOnlyPaths", "PAMName",
		"UserNamespacePath", "DelegateNamespaces"} { // the last two are of later versions
		if s.some(key) {
			return key + "="
		}
	}
	if v := s.last("PrivateUsers"); v != "" {
		if _, ok := boolean(v); !ok { // since systemd 257 it has modes
			return "PrivateUsers="
		}
	}
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "TemporaryFileSystem"} {
		if slices.ContainsFunc(s.paths(key), func(p string) bool { return strings.Contains(p, "%") }) {
			return key + "="
		}
	}
	return ""
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

// call says whether SystemCallFilter= lets a system call of the network through,
// and what it answers if not: the name of an errno, or "" where it ends the
// program.
func (s settings) call(name string) (errno string, allowed bool) {
	values := s.all("Service", "SystemCallFilter")
	if len(values) == 0 {
		return "", true
	}
	allowed = strings.HasPrefix(values[0], "~")
	errno = s.last("SystemCallErrorNumber")
	for _, v := range values {
		rest, deny := strings.CutPrefix(v, "~")
		for _, word := range split(rest) {
			word, answer, own := strings.Cut(word, ":")
			// The groups of systemd 252 that socket, bind and listen are in.
			if word != name && word != "@network-io" && word != "@system-service" && word != "@known" {
				continue
			}
			if allowed = !deny; own {
				errno = answer
			}
		}
	}
	if errno == "kill" {
		errno = ""
	}
	return errno, allowed
}
