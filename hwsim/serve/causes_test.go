package serve

import (
	"strconv"
	"testing"

	"faultline/hwsim"
)

func TestEveryCauseOfThePlantHasALabel(t *testing.T) {
	for _, a := range hwsim.Alarms() {
		if CauseLabel(a.ProbableCause) == strconv.Itoa(a.ProbableCause) {
			t.Errorf("cause %d of %s has no label", a.ProbableCause, a.Slug)
		}
	}
	for n, want := range map[int]string{8: "lossOfSignal", 58: "powerProblem", 82: "protectingResourceFailure", 106: "commercialPowerFailure", 132: "smoke", 166: "versionMismatch", 207: "systemResourcesOverload"} {
		if got := CauseLabel(n); got != want {
			t.Errorf("cause %d is %s, want %s", n, got, want)
		}
	}
}
