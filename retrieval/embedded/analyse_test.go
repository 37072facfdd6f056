package embedded

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTokeniseAndTerms(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"ALM-25622 raised", "alm-25622=alm-25622+alm+25622 raised=rais"},
		{"ALM25622", "alm25622=alm25622+alm+25622"},
		{"cell-101, cell-102", "cell-101=cell-101+cell+101 cell-102=cell-102+cell+102"},
		{"port 1/3/2.", "port=port 1/3/2=1/3/2+1+3+2"},
		{"ge-0/0/1 flaps", "ge-0/0/1=ge-0/0/1+ge+0+1 flaps=flap"},
		{"S017-GNB1", "s017-gnb1=s017-gnb1+s017+017+gnb1+gnb"},
		{"R_LOS and/or FM-fibre-cut", "r=r los=los and=and or=or fm=fm fibre=fibr cut=cut"},
		{"10.0.0.1:8080", "10.0.0.1:8080=10.0.0.1:8080+10+0+1+8080"},
		{"It failed.Next one", "it=it failed=fail next=next one=one"},
		{"Time:down 00:1b:2c", "time=time down=down 00:1b:2c=00:1b:2c+00+1b+2c"},
		{"Kenji’s O'Brien's Akinoshū", "kenji=kenji obrien=obrien akinoshu=akinoshu"},
		{"batteries battery", "batteries=batteri battery=batteri"},
		{"5G基站退服", "5g=5g 基站=基站 站退=站退 退服=退服"},
		{"光", "光=光"},
		{"", ""},
		{"-- / ::", ""},
		{"\xff\xfe cut", "cut=cut"},
	} {
		var got []string
		for _, w := range tokenise(tc.text) {
			got = append(got, w.text+"="+strings.Join(terms(w.text, w.ident), "+"))
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%q:\n got %s\nwant %s", tc.text, s, tc.want)
		}
	}
}

func TestTokeniseSentences(t *testing.T) {
	var got []string
	for _, w := range tokenise("Fan stopped. Version 3.2 of R12! 断电。恢复") {
		got = append(got, fmt.Sprintf("%s/%d", w.text, w.sentence))
	}
	if s := strings.Join(got, " "); s != "fan/0 stopped/0 version/1 3.2/1 of/1 r12/1 断电/2 恢复/3" {
		t.Error(s)
	}
}

func TestParseQuery(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"the mains failure", "mains failure"},
		{`"loss of signal" ring`, "loss signal <loss of signal> ring"},
		{"“托举哥”是谁", "托举 举哥 <托举 举哥>"},
		{"ALM-25* ge-0/0/1", "alm-25* ge-0/0/1"},
		{`"never closed`, "never closed"},
		{`""`, ""},
		{"the", "the"},
	} {
		var got []string
		for _, c := range parseQuery(tc.text) {
			switch s := join(c.words); {
			case c.prefix:
				got = append(got, s+"*")
			case len(c.words) > 1:
				got = append(got, "<"+s+">")
			default:
				got = append(got, s)
			}
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%q: got %s, want %s", tc.text, s, tc.want)
		}
	}
}

func FuzzAnalyse(f *testing.F) {
	f.Add("Raised ALM-25622 on S017-GNB1 (ge-0/0/1): 基站退服。 O’Brien's \"loss of signal\" R12*")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, w := range tokenise(text) {
			if w.text == "" || w.start >= w.end || w.end > len(text) || w.start < last {
				t.Fatalf("%q: word %+v", text, w)
			}
			if last = w.start; utf8.ValidString(text) && !utf8.ValidString(w.text) {
				t.Fatalf("%q: word %q is not UTF-8", text, w.text)
			}
			if ts := terms(w.text, w.ident); len(ts) == 0 || ts[0] == "" {
				t.Fatalf("%q: word %q has terms %q", text, w.text, ts)
			}
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	f.Add(`mains "input failure" ALM-25* “托举哥”`)
	f.Fuzz(func(t *testing.T, text string) {
		clauses := parseQuery(text)
		if len(clauses) > maxClauses {
			t.Fatalf("%d clauses", len(clauses))
		}
		for _, c := range clauses {
			if len(c.words) == 0 || (c.prefix && len(c.words) != 1) {
				t.Fatalf("%q: clause %+v", text, c)
			}
		}
	})
}
