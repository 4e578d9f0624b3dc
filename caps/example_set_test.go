package caps_test

import (
	"encoding/json"
	"fmt"

	"github.com/lowport/lowport/caps"
)

func ExampleSetOf() {
	s := caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_RAW)
	fmt.Println(s, s.Len(), s.Has(caps.NET_RAW), s.Has(caps.SYS_ADMIN))
	// Output: cap_net_bind_service,cap_net_raw 2 true false
}

func ExampleUpTo() {
	fmt.Println(caps.UpTo(caps.CHECKPOINT_RESTORE).Hex())
	// Output: 000001ffffffffff
}

func ExampleSet_All() {
	for c := range caps.SetOf(caps.NET_RAW, caps.CHOWN).All() {
		fmt.Println(uint8(c), c)
	}
	// Output:
	// 0 cap_chown
	// 13 cap_net_raw
}

func ExampleSet_Contains() {
	has := caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_RAW)
	fmt.Println(has.Contains(caps.SetOf(caps.NET_RAW)), has.Contains(caps.SetOf(caps.NET_RAW, caps.CHOWN)))
	// Output: true false
}

func ExampleSet_Has() {
	fmt.Println(caps.SetOf(caps.NET_RAW).Has(caps.NET_RAW))
	// Output: true
}

func ExampleSet_Len() {
	fmt.Println(caps.SetOf(caps.NET_RAW, caps.NET_RAW, caps.CHOWN).Len())
	// Output: 2
}

func ExampleSet_With() {
	var s caps.Set
	t := s.With(caps.NET_RAW)
	fmt.Printf("%q %q\n", s, t)
	// Output: "" "cap_net_raw"
}

func ExampleSet_Without() {
	s := caps.SetOf(caps.NET_RAW, caps.CHOWN)
	fmt.Println(s.Without(caps.CHOWN))
	// Output: cap_net_raw
}

// What capsh --decode prints.
func ExampleSet_Decode() {
	fmt.Println(caps.SetOf(caps.NET_BIND_SERVICE).Decode())
	fmt.Printf("%s\n", caps.SetOf(caps.CHOWN).AppendDecode([]byte("CapEff: ")))
	// Output:
	// 0x0000000000000400=cap_net_bind_service
	// CapEff: 0x0000000000000001=cap_chown
}

func ExampleSet_AppendDecode() {
	fmt.Printf("%s\n", caps.SetOf(caps.CHOWN).AppendDecode([]byte("CapEff: ")))
	// Output: CapEff: 0x0000000000000001=cap_chown
}

// What /proc/PID/status prints.
func ExampleSet_Hex() {
	fmt.Println(caps.SetOf(caps.NET_BIND_SERVICE).Hex())
	// Output: 0000000000000400
}

func ExampleSet_AppendHex() {
	fmt.Printf("%s\n", caps.SetOf(caps.CHOWN).AppendHex([]byte("CapEff:\t")))
	// Output: CapEff:	0000000000000001
}

func ExampleSet_Kubernetes() {
	fmt.Println(caps.SetOf(caps.NET_BIND_SERVICE).Kubernetes())
	// Output: [NET_BIND_SERVICE]
}

func ExampleSet_OCI() {
	fmt.Println(caps.SetOf(caps.NET_BIND_SERVICE).OCI())
	// Output: [CAP_NET_BIND_SERVICE]
}

func ExampleSet_Systemd() {
	fmt.Println("AmbientCapabilities=" + caps.SetOf(caps.NET_BIND_SERVICE).Systemd())
	// Output: AmbientCapabilities=CAP_NET_BIND_SERVICE
}

func ExampleSet_Setpriv() {
	fmt.Println("--ambient-caps=" + caps.SetOf(caps.NET_BIND_SERVICE).Setpriv())
	// Output: --ambient-caps=-all,+net_bind_service
}

func ExampleSet_ParseSetpriv() {
	bounding := caps.SetOf(caps.NET_RAW, caps.CHOWN)
	s, err := bounding.ParseSetpriv("-net_raw,+net_bind_service")
	fmt.Println(s, err)
	// Output: cap_chown,cap_net_bind_service <nil>
}

func ExampleSet_UnmarshalJSON() {
	var spec struct{ Bounding caps.Set }
	err := json.Unmarshal([]byte(`{"bounding": ["CAP_NET_BIND_SERVICE", "CAP_CHOWN"]}`), &spec)
	fmt.Println(spec.Bounding, err)
	// Output: cap_chown,cap_net_bind_service <nil>
}

func ExampleParseSet() {
	s, err := caps.ParseSet("net_raw, CAP_CHOWN")
	fmt.Println(s, err)
	// Output: cap_chown,cap_net_raw <nil>
}

// The list of a manifest.
func ExampleParseNames() {
	s, err := caps.ParseNames([]string{"NET_BIND_SERVICE", "CHOWN"})
	fmt.Println(s, err)
	// Output: cap_chown,cap_net_bind_service <nil>
}

func ExampleCap_String() {
	fmt.Println(caps.NET_BIND_SERVICE, caps.Cap(63))
	// Output: cap_net_bind_service 63
}
