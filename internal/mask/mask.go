// Package mask takes out of a record what is nobody else's business.
package mask

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// Record returns a record with nothing personal in it, to be shown to others:
// every name, path, argument, address and label is replaced by one that stands
// for it, and of the rest only what a fact is made of is kept. The facts say the
// same but for those names. Addresses that were equal stay equal; bound, the
// address that was asked for, is masked along with them.
//
// Kept are: numbers (uids, pids, inodes, ports), capabilities, the kernel's
// version without its suffix, the names of security modules and the kind of
// container.
func Record(r facts.Record, bound netip.Addr) (facts.Record, netip.Addr) {
	addrs := addrMask{}
	out := facts.Record{}
	for _, name := range facts.Items {
		item, ok := r[name]
		switch mask := masks[name]; {
		case !ok:
		case item.Err != "":
			out[name] = facts.Item{Err: maskErr(item.Err)}
		case mask == nil:
			out[name] = facts.Item{Err: hidden}
		default:
			data, ok := mask(item.Data, addrs)
			if !ok {
				out[name] = facts.Item{Err: hidden}
				continue
			}
			out[name] = facts.Item{Data: data}
		}
	}
	if bound.IsValid() {
		bound = addrs.mask(bound)
	}
	return out, bound
}

// hidden is the error of an item that could not be masked.
const hidden = "not recorded: it may hold a name"

// What the masked names are.
const (
	maskedDir     = "/srv/app"
	maskedProgram = "server"
	maskedUser    = "app"
	maskedUnit    = "app.service"
	maskedSocket  = "app.socket"
	maskedPackage = "example.com/app"
	maskedNetwork = facts.NamedNetworks + "/app"
)

type mask func([]byte, addrMask) ([]byte, bool)

// masks has a mask for every item: one that is missing hides the item.
var masks = map[string]mask{
	"proc/thread-self/status": maskStatus,
	facts.StatusByCalls:       maskStatus,
	"proc/1/status":           maskStatus,
	"ancestor status":         maskStatus,
	"parent status":           maskStatus,
	"tracer status":           maskStatus,
	"folders shared":          only(`true\n|false\n`),
	"ancestors":               maskLine,
	"supervisor":              maskSupervisor,

	"prctl PR_GET_SECUREBITS":                      only(`[0-9]+\n`),
	"prctl PR_GET_DUMPABLE":                        only(`[0-9]+\n`),
	"AT_SECURE":                                    only(`[0-9]+\n`),
	"proc/sys/kernel/cap_last_cap":                 only(`[0-9]+\n`),
	"proc/sys/net/ipv4/ip_unprivileged_port_start": only(`[0-9]+\n`),
	"proc/sys/net/ipv4/ip_nonlocal_bind":           only(`[0-9]+\n`),
	"proc/sys/net/ipv6/ip_nonlocal_bind":           only(`[0-9]+\n`),
	"proc/sys/net/ipv6/conf/lo/disable_ipv6":       only(`[0-9]+\n`),
	"proc/sys/net/ipv4/ip_local_port_range":        only(`[0-9]+\t[0-9]+\n`),
	"proc/sys/net/ipv4/ip_local_reserved_ports":    only(`[-0-9,]*\n`),
	"sys/fs/selinux/enforce":                       only(`[0-9]+\n?`),
	"threads":                                      only(`([0-9]+( [0-9a-f]{16}){5} (true|false)\n)+`),
	"no_file_caps":                                 only(`[0-9]+\n`),
	"capget":                                       only(`[0-9a-f]{16}\n`),
	"at init":                                      only(`([0-9a-f]{16} ){3}[01]\n`),
	"caps/drop":                                    only(`[0-9a-f]{16}( [0-9a-f]{16})?\n`),
	"uname":                                        maskRelease,

	"exe xattr": only(`[0-9a-f]+\n`), "path xattr": only(`[0-9a-f]+\n`),
	"exe stat": maskStat, "path stat": maskStat, "moved stat": maskStat,
	"exe statfs": only(`0x[0-9a-f]+\n`), "path statfs": only(`0x[0-9a-f]+\n`), "moved statfs": only(`0x[0-9a-f]+\n`), "cwd statfs": only(`0x[0-9a-f]+\n`),

	"operator":      maskOperator,
	"tools":         only(`\{"Sudo":(true|false),"Setpriv":(true|false)\}\n`),
	"sandbox":       only(`true\n|false\n`),
	"proc/self/exe": maskExe, facts.Executed: maskExe,
	"path danger": only(`[0-9]+\n`), "path owners": only(`\[[0-9,]*\]\n`), "path attributes": only(`a?i?\n`),
	"mount point":  maskMount,
	"path outside": maskOutside, "read-only outside": only(`true\n|false\n`), "idmapped outside": only(`true\n|false\n`), "exe changed since": only(`true\n|false\n`),
	"cwd":          instead(maskedDir),
	"args":         instead(maskedDir + "/" + maskedProgram + "\x00"),
	"main package": maskMain,
	"user":         maskUser,
	"user groups":  only(`\[[0-9,]*\]\n`),
	"loader":       maskLoader,

	"proc/self/uid_map":   only(`(\s*[0-9]+\s+[0-9]+\s+[0-9]+\n)*`),
	"proc/self/gid_map":   only(`(\s*[0-9]+\s+[0-9]+\s+[0-9]+\n)*`),
	"proc/self/ns/user":   only(`user:\[[0-9]+\]\n?`),
	"proc/self/ns/net":    only(`net:\[[0-9]+\]\n?`),
	"proc/self/ns/pid":    only(`pid:\[[0-9]+\]\n?`),
	"proc/self/ns/uts":    only(`uts:\[[0-9]+\]\n?`),
	"ioctl NS_GET_USERNS": only(`user:\[[0-9]+\]\n?`),

	"network apart":          only(`true\n|false\n`),
	"network namespace name": instead(maskedNetwork),

	"proc/self/cgroup": maskCgroups,
	// Podman writes the names of the container and its image; that it is there is enough.
	"run/.containerenv": instead(""), ".dockerenv": instead(""), "run/systemd/system": instead(""), "run/systemd/transient": instead(""),
	"socket unit":                maskSocketUnits,
	"unit of invocation":         instead(maskedUnit),
	"last drop-in":               maskDropIn,
	"unit filters":               only(`\[("[A-Za-z]+",?)*\]\n`),
	"run/host/container-manager": only(`systemd-nspawn\n?`),
	"environ":                    maskEnviron,

	"sys/kernel/security/lsm": maskModules,
	"proc/self/attr/current":  maskLabel,
	"probes":                  maskProbes,
	"probes at ports":         maskPortProbes,
	"sockets":                 maskSockets,
	"sockets from":            only(`sock_diag\n|/proc/net\n`),
	"addresses":               maskAddresses,
	"tentative":               maskAddresses,
	"special addresses":       maskSpecial,
}

// maskOperator keeps all of it: it has numbers, answers and the names of capabilities.
func maskOperator(b []byte, _ addrMask) ([]byte, bool) {
	return maskedJSON(facts.ParseJSON[facts.Operator](b))
}

// maskSupervisor keeps the kind.
func maskSupervisor(b []byte, _ addrMask) ([]byte, bool) {
	s, err := facts.ParseJSON[facts.Supervisor](b)
	if !slices.Contains([]string{"runit", "s6", "supervisord", "pm2"}, s.Kind) {
		return nil, false
	}
	s.Service, s.Run = strings.TrimSuffix(maskedUnit, ".service"), maskedDir+"/run"
	return maskedJSON(s, err)
}

// maskLine keeps all of it: it has numbers and answers.
func maskLine(b []byte, _ addrMask) ([]byte, bool) {
	return maskedJSON(facts.ParseJSON[[]facts.Forebear](b))
}

// maskDropIn keeps what it tells of the order: whether a new drop-in sorts behind it.
func maskDropIn(b []byte, _ addrMask) ([]byte, bool) {
	name, err := facts.ParseJSON[string](b)
	if masked := "10-masked.conf"; name != "" && name < facts.OwnDropIn {
		name = masked
	} else if name > facts.OwnDropIn {
		name = "zzz-masked.conf"
	}
	return maskedJSON(name, err)
}

// only keeps what is wholly of that form.
func only(form string) mask {
	whole := regexp.MustCompile(`\A(?:` + form + `)\z`)
	return func(b []byte, _ addrMask) ([]byte, bool) { return b, whole.Match(b) }
}

func instead(text string) mask {
	return func([]byte, addrMask) ([]byte, bool) { return []byte(text), true }
}

// maskErr keeps the errors that this package words itself.
func maskErr(s string) string {
	if ownErr.MatchString(s) {
		return s
	}
	return hidden
}

var ownErr = regexp.MustCompile(`\A(?:E[A-Z0-9]+|process [0-9]+: E[A-Z0-9]+|no answer: (?:open|NS_GET_NSTYPE): E[A-Z0-9]+|longer than [0-9]+ bytes|built without module support|statx has no mount id before Linux 5\.8|the root of this process is no mount, and hides others|user: unknown userid [0-9]+|the user database did not answer in time|the name of the file itself ends in \(deleted\))\z`)

var statusLine = regexp.MustCompile(`(?m)^(?:(?:Tgid|PPid|TracerPid|NoNewPrivs|Seccomp):\t[0-9]+|[UG]id:(?:\t[0-9]+){4}|Cap(?:Inh|Prm|Eff|Bnd|Amb):\t[0-9a-f]{16})\n`)

func maskStatus(b []byte, _ addrMask) ([]byte, bool) {
	return slices.Concat(statusLine.FindAll(b, -1)...), true
}

func maskRelease(b []byte, _ addrMask) ([]byte, bool) {
	v := slices.Clone(regexp.MustCompile(`\A[0-9]+(?:\.[0-9]+)+`).Find(b))
	if wsl, _ := facts.ParseWSL(b); wsl {
		v = append(v, "-microsoft"...)
	}
	return append(v, '\n'), len(v) > 0 && v[0] != '-'
}

func maskStat(b []byte, _ addrMask) ([]byte, bool) {
	s, err := facts.ParseStat(b)
	return maskedJSON(s, err)
}

func maskProbes(b []byte, _ addrMask) ([]byte, bool) {
	all, err := facts.ParseJSON[[]facts.Probe](b)
	for i, p := range all {
		if !slices.Contains([]string{"tcp4", "tcp6", "mptcp4", "mptcp6", "udp4", "udp6"}, p.Network) ||
			!slices.Contains([]facts.When{"", facts.BeforePort, facts.AfterPort}, p.When) ||
			!slices.Contains([]facts.By{"", facts.ByFilter, facts.ByKernel}, p.By) {
			return nil, false
		}
		if p.Errno != "" {
			all[i].Errno = maskErr(p.Errno)
		}
	}
	return maskedJSON(all, err)
}

// maskPortProbes keeps the ports, which the report names too.
func maskPortProbes(b []byte, _ addrMask) ([]byte, bool) {
	all, err := facts.ParseJSON[[]facts.PortProbe](b)
	for i, p := range all {
		if p.Errno != "" {
			all[i].Errno = maskErr(p.Errno)
		}
	}
	return maskedJSON(all, err)
}

// maskExe keeps whether the file is deleted, and whether `go run` made it.
func maskExe(b []byte, _ addrMask) ([]byte, bool) {
	p, err := facts.ParsePath(b)
	if err != nil {
		return nil, false
	}
	out := maskedDir + "/" + maskedProgram
	if facts.GoRun(p) {
		out = "/tmp/go-build1/b001/exe/" + maskedProgram
	}
	if strings.HasSuffix(string(b), facts.DeletedMark) {
		out += facts.DeletedMark
	}
	return []byte(out), true
}

func maskMount(b []byte, _ addrMask) ([]byte, bool) {
	if string(b) == "/" {
		return b, true
	}
	return []byte(maskedDir), true
}

func maskOutside(b []byte, _ addrMask) ([]byte, bool) {
	if string(b) == facts.SameOutside {
		return b, true
	}
	return []byte("/srv/outside/" + maskedProgram), true
}

// maskMain keeps the names that stand for no package.
func maskMain(b []byte, _ addrMask) ([]byte, bool) {
	switch s := strings.TrimSuffix(string(b), "\n"); {
	case s == "command-line-arguments":
		return b, true
	case strings.HasSuffix(s, ".test"):
		return []byte(maskedPackage + ".test\n"), true
	default:
		return []byte(maskedPackage + "\n"), true
	}
}

func maskUser(b []byte, _ addrMask) ([]byte, bool) {
	if string(b) == "root\n" {
		return b, true
	}
	return []byte(maskedUser + "\n"), true
}

// maskLoader keeps which variables there are, but not their values.
func maskLoader(b []byte, _ addrMask) ([]byte, bool) {
	l, err := facts.ParseJSON[facts.Loader](b)
	for i, v := range l.Vars {
		name, _, _ := strings.Cut(v, "=")
		if !slices.Contains(facts.LoaderVars, name) {
			return nil, false
		}
		l.Vars[i] = name + "=" + maskedDir + "/lib"
	}
	for _, n := range l.Needs {
		if n != facts.Origin && !slices.Contains(facts.LoaderVars, n) {
			return nil, false
		}
	}
	return maskedJSON(l, err)
}

func maskSocketUnits(b []byte, addrs addrMask) ([]byte, bool) {
	all, err := facts.ParseJSON[[]facts.SocketUnit](b)
	for i, s := range all {
		if !slices.Contains([]string{"tcp4", "tcp6", "udp4", "udp6"}, s.Network) {
			return nil, false
		}
		all[i].Name = maskedSocket
		all[i].Addr = netip.AddrPortFrom(addrs.mask(s.Addr.Addr()), s.Addr.Port())
	}
	return maskedJSON(all, err)
}

func maskEnviron(b []byte, _ addrMask) ([]byte, bool) {
	var out []byte
	for line := range strings.Lines(string(b)) {
		if slices.Contains(facts.EnvMarks, strings.TrimSuffix(line, "\n")) {
			out = append(out, line...)
		}
	}
	return out, true
}

// maskLabel keeps what a label says of its kind: AppArmor's mode, or that it is
// one of SELinux.
func maskLabel(b []byte, _ addrMask) ([]byte, bool) {
	s := strings.TrimRight(string(b), "\n\x00")
	_, mode, profile := strings.Cut(s, " (")
	switch {
	case s == "unconfined":
		return []byte(s + "\n"), true
	case profile && slices.Contains([]string{"enforce)", "complain)", "kill)", "mixed)", "prompt)", "unconfined)"}, mode):
		return []byte("profile (" + mode + "\n"), true
	case strings.Count(s, ":") >= 2:
		return []byte("user_u:role_r:type_t\n"), true
	}
	return nil, false
}

// modules are those of the kernel's own source; one from Elsewhere is "other".
const modules = ",capability,lockdown,yama,loadpin,safesetid,landlock,selinux,smack,tomoyo,apparmor,bpf,ipe,integrity,ima,evm,"

func maskModules(b []byte, _ addrMask) ([]byte, bool) {
	all := strings.Split(strings.TrimSuffix(string(b), "\n"), ",")
	for i, name := range all {
		if !strings.Contains(modules, ","+name+",") {
			all[i] = "other"
		}
	}
	return []byte(strings.Join(all, ",") + "\n"), true
}
