package units

import (
	"slices"
	"strings"
)

// A line is a directive, the values it may have, and how often it is drawn: once in rare.
type line struct {
	key    string
	rare   int
	values []string
}

const yesNo = "yes|no|true|off|perhaps|"

// lines are the directives of [Service].
var lines = []line{
	{"User", 2, split("app|app|app|app|root|1000|operator|missing|54321|%i|%p|%u|nobody|")},
	{"Group", 12, split("app|root|operator|missing|1000")},
	{"SupplementaryGroups", 25, split("app|root operator|missing")},
	{"DynamicUser", 25, split("yes|no")},
	{"AmbientCapabilities", 4, split("CAP_NET_BIND_SERVICE|CAP_NET_BIND_SERVICE|CAP_NET_BIND_SERVICE CAP_CHOWN|CAP_CHOWN|~CAP_CHOWN|cap_net_bind_service|NET_BIND_SERVICE|10||CAP_SYS_RESOURCE CAP_NET_BIND_SERVICE")},
	{"CapabilityBoundingSet", 6, split("CAP_NET_BIND_SERVICE|CAP_CHOWN|~CAP_NET_BIND_SERVICE|~|CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID|")},
	{"NoNewPrivileges", 8, split(yesNo + "yes|yes")},
	{"SecureBits", 40, split("noroot|keep-caps|no-setuid-fixup|noroot-locked|junk")},
	{"PrivateUsers", 25, split("yes|no|self")},
	{"PrivateTmp", 15, split(yesNo + "yes|disconnected")},
	{"PrivateDevices", 15, split("yes|no")},
	{"PrivateNetwork", 20, split("yes|no")},
	{"PrivateMounts", 25, split("yes")},
	{"PrivateIPC", 40, split("yes")},
	{"ProtectSystem", 8, split("yes|full|strict|strict|no|junk")},
	{"ProtectHome", 10, split("yes|read-only|tmpfs|no|junk")},
	{"ProtectProc", 30, split("invisible|ptraceable|default|junk")},
	{"ProcSubset", 40, split("pid|all")},
	{"ProtectKernelTunables", 25, split("yes")},
	{"ProtectKernelModules", 25, split("yes")},
	{"ProtectKernelLogs", 25, split("yes")},
	{"ProtectControlGroups", 25, split("yes")},
	{"ProtectClock", 25, split("yes")},
	{"ProtectHostname", 25, split("yes")},
	{"LockPersonality", 20, split("yes")},
	{"MemoryDenyWriteExecute", 30, split("yes")},
	{"RestrictRealtime", 25, split("yes")},
	{"RestrictSUIDSGID", 20, split("yes")},
	{"RestrictNamespaces", 25, split("yes|no|~user|net mnt|junk")},
	{"RestrictAddressFamilies", 12, split("AF_INET AF_INET6|AF_INET|AF_INET6|AF_UNIX|~AF_INET6|~AF_INET|none|AF_UNIX AF_INET AF_INET6 AF_NETLINK|~AF_PACKET|")},
	{"SystemCallFilter", 14, split("@system-service|~@privileged|~@resources|~bind:EPERM|~bind:EACCES|~socket:EPERM|@network-io @basic-io|~@clock|~@mount|~capset:EPERM|")},
	{"SystemCallErrorNumber", 14, split("EPERM|EACCES|kill")},
	{"SystemCallArchitectures", 20, split("native|x86-64")},
	{"SocketBindDeny", 60, split("any|ipv4:any")},
	{"IPAddressDeny", 50, split("any")},
	{"ReadOnlyPaths", 30, split("/srv|/nonexistent|-/nonexistent|/")},
	{"ReadWritePaths", 30, split("/srv|/nonexistent|-/nonexistent|/tmp")},
	{"InaccessiblePaths", 40, split("/srv|/opt|-/nonexistent|/home/app")},
	{"NoExecPaths", 40, split("/|/srv|/opt|/usr/bin")},
	{"ExecPaths", 40, split("/srv|/usr /srv|/opt")},
	{"TemporaryFileSystem", 50, split("/srv|/opt:ro|/home/app")},
	{"BindPaths", 50, split("/opt:/mnt|/nonexistent:/mnt|-/nonexistent:/mnt|/srv:/opt")},
	{"BindReadOnlyPaths", 50, split("/srv|/opt:/mnt")},
	{"RootDirectory", 60, split("/|/nonexistent")},
	{"EnvironmentFile", 25, split("/srv/env|/nonexistent|-/nonexistent|/srv/*.env")},
	{"Environment", 20, split("A=1|\"A=NoNewPrivileges=yes\" B=2|User=app|LISTEN_FDS=1|A=%n B=%i|PATH=/srv")},
	{"WorkingDirectory", 20, split("/srv|/nonexistent|-/nonexistent|~|/srv/closed|/home/app|%t|%h|%T/%n|-%S/%p")},
	{"StandardInput", 30, split("null|file:/srv/env|file:/nonexistent|tty|socket|data")},
	{"StandardError", 30, split("null|journal|append:/nonexistent/x|append:/run/draw.err|inherit|junk")},
	{"LimitNOFILE", 25, split("1024|infinity|3|junk|1024:2048")},
	{"LimitAS", 60, split("100M|infinity")},
	{"LimitNPROC", 60, split("1|1000")},
	{"CPUAffinity", 40, split("0|9999|junk|0-1")},
	{"Nice", 30, split("-5|5|99")},
	{"OOMScoreAdjust", 40, split("-500|500|junk")},
	{"IOSchedulingClass", 40, split("realtime|idle|junk")},
	{"CPUSchedulingPolicy", 40, split("rr|batch|junk")},
	{"LoadCredential", 40, split("a:/srv/env|a:/nonexistent|junk")},
	{"SetCredential", 50, split("a:b")},
	{"UMask", 30, split("0077|junk")},
	{"RuntimeDirectory", 30, split("draw|draw/x|/abs|../x|%p|%N-x")},
	{"StateDirectory", 30, split("draw")},
	{"ConfigurationDirectory", 50, split("draw")},
	{"Slice", 40, split("draw.slice|system.slice|junk")},
	{"Delegate", 50, split("yes")},
	{"ExecStartPre", 14, split("/bin/true|/bin/false|-/bin/false|/nonexistent|-/nonexistent|+/bin/true|!/bin/true|/bin/sh -c 'exit 3'|/bin/sh -c 'exit 0'|/bin/sh -c true|true|/bin/test -e /srv|/bin/mkdir /nonexistent/x")},
	{"ExecCondition", 40, split("/bin/true|/bin/false|/nonexistent")},
	{"ExecStartPost", 50, split("/bin/true")},
	{"Personality", 60, split("x86|x86-64")},
	{"TimeoutStartSec", 40, split("30|junk")},
	{"KeyringMode", 60, split("private|shared")},
	{"NoNewPriviliges", 40, split("yes")}, // a slip
	{"UtmpIdentifier", 60, split("x")},
	{"TTYPath", 60, split("/dev/null|/dev/nonexistent")},
	{"PAMName", 60, split("login|nonexistent")},
	{"NetworkNamespacePath", 60, split("/nonexistent|/proc/1/ns/net")},
	{"IPCNamespacePath", 80, split("/nonexistent")},
	{"GuessMainPID", 60, split("no")},
	{"RootImage", 90, split("/nonexistent")},
	{"LogNamespace", 90, split("draw")},
	{"AppArmorProfile", 60, split("-x|x")},
	{"SELinuxContext", 90, split("-x")},
	{"SmackProcessLabel", 90, split("x")},
	{"RestrictFileSystems", 90, split("@basic-api|~@network")},
	{"MountFlags", 60, split("shared|private|slave")},
	{"UnsetEnvironment", 60, split("LISTEN_FDS|A")},
	{"PassEnvironment", 60, split("A")},
	{"SyslogIdentifier", 60, split("x")},
	{"MountAPIVFS", 60, split("yes|no")},
	{"Type", 60, split("oneshot|junk")},
}

func split(s string) []string { return strings.Split(s, "|") }

// rareAt is from where a directive is one of odd units alone.
const rareAt = 40

// wrongs are values that systemd or the machine does not have.
var wrongs = split("junk|perhaps|/nonexistent|missing|54321|9999|99|nonexistent|a:/nonexistent|/abs|../x|append:/nonexistent/x|file:/nonexistent")

// users are the directives that the services of a user's own manager mostly have: others take
// privileges that it has not.
var users = strings.Fields("AmbientCapabilities CapabilityBoundingSet NoNewPrivileges LockPersonality MemoryDenyWriteExecute RestrictRealtime RestrictSUIDSGID " +
	"RestrictNamespaces RestrictAddressFamilies SystemCallFilter SystemCallErrorNumber SystemCallArchitectures EnvironmentFile Environment WorkingDirectory " +
	"StandardInput StandardError LimitNOFILE UMask ExecStartPre ExecCondition TimeoutStartSec NoNewPriviliges UnsetEnvironment")

// service draws the lines of [Service], in any order.
func (d die) service(odd, user bool) []string {
	var all []string
	for _, l := range lines {
		value := d.one(l.values...)
		if !d.in(l.rare*3/2) || !odd && (l.rare >= rareAt || slices.Contains(wrongs, value)) {
			continue
		}
		if user && !slices.Contains(users, l.key) && !d.in(12) {
			continue
		}
		all = append(all, l.key+"="+value+"\n")
		if d.in(8) && odd {
			all = append(all, l.key+"="+d.one(l.values...)+"\n")
		}
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
