package dice

import (
	"fmt"
	"strings"
)

// unit is the service that starts the program, where systemd does.
func (s Situation) unit() string {
	b := "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nStandardOutput=truncate:/run/said/report-unit\nStandardError=truncate:/run/stderr\n"
	b += "ExecStart=" + s.prefix() + s.execStart() + "\n"
	switch {
	case s.is("fault", "template"):
		b += "User=%i\n"
	case s.is("user", "app"):
		b += "User=app\n"
	case s.is("user", "nameless"):
		b += "User=4242\n"
	case s.is("user", "dynamic"):
		b += "DynamicUser=yes\n"
	}
	capability := strings.ReplaceAll(strings.ToUpper(s.need()), ",", " ")
	if s.is("grant", "ambient") {
		b += "AmbientCapabilities=" + capability + "\n"
	}
	b += map[string]string{
		"without": "CapabilityBoundingSet=~" + capability + "\n",
		"only":    "CapabilityBoundingSet=" + capability + "\n",
		"empty":   "CapabilityBoundingSet=\n",
	}[s.get("bounding")]
	b += map[string]string{"noroot": "SecureBits=noroot\n", "no-fixup": "SecureBits=no-setuid-fixup\n"}[s.get("securebits")]
	if s.is("nnp", "same") {
		b += "NoNewPrivileges=yes\n"
	}
	switch call, errno, _ := strings.Cut(s.get("seccomp"), ":"); {
	case call == "inet-socket":
		b += "RestrictAddressFamilies=AF_UNIX AF_NETLINK\n"
	case errno != "":
		b += "SystemCallFilter=~" + call + ":" + errno + "\n"
	}
	if s.is("userns", "foreign") {
		b += "PrivateUsers=yes\n"
	}
	if s.is("launcher", "unshare-n") {
		b += "PrivateNetwork=yes\n"
	}
	for _, knob := range []string{"sandbox", "sandbox2", "fault"} {
		if text := directives[s.get(knob)]; text != "" {
			b += text + "\n"
		}
	}
	return b
}

// directives are the values of the knobs sandbox and fault.
var directives = map[string]string{
	"protect-system":  "ProtectSystem=strict",
	"private-tmp":     "PrivateTmp=yes",
	"private-devices": "PrivateDevices=yes",
	"clock":           "ProtectClock=yes",
	"modules":         "ProtectKernelModules=yes",
	"kernel-logs":     "ProtectKernelLogs=yes",
	"suid":            "RestrictSUIDSGID=yes",
	"personality":     "LockPersonality=yes",
	"memory":          "MemoryDenyWriteExecute=yes",
	"realtime":        "RestrictRealtime=yes",
	"namespaces":      "RestrictNamespaces=yes",
	"native":          "SystemCallArchitectures=native",
	"hostname":        "ProtectHostname=yes",
	"cgroups":         "ProtectControlGroups=yes",
	"invisible":       "ProtectProc=invisible",
	"pid-subset":      "ProcSubset=pid",
	"home":            "ProtectHome=yes",
	"service-calls":   "SystemCallFilter=@system-service",
	"no-resources":    "SystemCallFilter=~@resources",
	"no-privileged":   "SystemCallFilter=~@privileged",
	"inet4":           "RestrictAddressFamilies=AF_INET AF_UNIX AF_NETLINK",
	"inet":            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
	"nosuid":          "BindPaths=/srv/app\nMountAPIVFS=yes",

	"environment":  "EnvironmentFile=/srv/none",
	"environment?": "EnvironmentFile=-/srv/none",
	"directory":    "WorkingDirectory=/srv/none",
	"directory?":   "WorkingDirectory=-/srv/none",
	"credential":   "LoadCredential=key:/srv/none",
	"pre":          "ExecStartPre=/bin/false",
	"pre?":         "ExecStartPre=-/bin/false",
	"pre+setcap":   "ExecStartPre=+/sbin/setcap cap_net_bind_service=+p /srv/app/server",
	"affinity":     "CPUAffinity=4000",
	"condition":    "ExecCondition=/bin/false",
	"input":        "StandardInput=file:/srv/none",
	"group":        "Group=nobodyhere",
}

// prefix is the special executable prefix of systemd.service(5).
func (s Situation) prefix() string {
	return map[string]string{"plus": "+", "bang": "!", "bangs": "!!", "dash": "-", "colon": ":"}[s.get("prefix")]
}

// execStart is the command line, as systemd reads it.
func (s Situation) execStart() string {
	var w []string
	if s.is("nnp", "later") {
		w = append(w, "/usr/bin/setpriv", "--no-new-privs")
	}
	if s.is("tracer", "user") {
		w = append(w, "/usr/bin/strace", "-f", "-e", "trace=none", "-o", "/dev/null")
	}
	w = append(w, map[string][]string{
		"env": {"/usr/bin/env", "DICE=1"}, "sh-exec": {"/bin/sh", "-c", `'exec "$$@"'`, "sh"},
		"sh-child": {"/bin/sh", "-c", `'"$$@"; exit $?'`, "sh"}, "taskset": {"/usr/bin/taskset", "1"}, "nice": {"/usr/bin/nice"},
		"tini": {"/usr/bin/tini", "-s", "--"}, "dumb-init": {"/usr/bin/dumb-init", "--"},
	}[s.get("wrapper")]...)
	w = append(append(append(w, s.path(), "-tell"), s.flags()...), s.target()...)
	return strings.ReplaceAll(strings.Join(w, " "), "%", "%%")
}

// socketUnit is the .socket unit beside the service, "" for none.
func (s Situation) socketUnit() string {
	listen := "ListenStream"
	if s.is("proto", "udp") {
		listen = "ListenDatagram"
	}
	address := map[string]string{
		"any": s.port(), "stopped": s.port(), "stopped4": "127.0.0.1:" + s.port(), "any4": "0.0.0.0:" + s.port(), "lo4": "127.0.0.1:" + s.port(), "port": "444",
		"accept": s.port() + "\nAccept=yes",
	}[s.get("socket")]
	if address == "" {
		return ""
	}
	return fmt.Sprintf("[Socket]\n%s=%s\n", listen, address)
}

// units installs the units.
func (s Situation) units() string {
	b := heredoc("/etc/systemd/system/"+s.unitFile(), s.unit())
	socket := s.socketUnit()
	if socket != "" {
		b += heredoc("/etc/systemd/system/app.socket", socket)
	}
	b += "systemctl daemon-reload\n"
	if socket != "" && !s.is("socket", "stopped", "stopped4") {
		b += "systemctl start app.socket\n"
	}
	return b
}

func heredoc(path, text string) string {
	return "cat >" + path + " <<'END'\n" + text + "END\n"
}

// startUnit starts the service and waits for its end. What was started before is forgotten.
func (s Situation) startUnit() string {
	name := s.unitName()
	return "systemctl reset-failed " + name + " app.socket 2>/dev/null || true\n" +
		"systemctl start " + name + " || { cat /run/stderr; systemctl show -p ExecMainStatus -p Result " + name + "; } 2>&1\n"
}

func (s Situation) unitFile() string {
	if s.is("fault", "template") {
		return "app@.service"
	}
	return "app.service"
}

func (s Situation) unitName() string {
	if s.is("fault", "template") {
		return "app@app.service"
	}
	return "app.service"
}
