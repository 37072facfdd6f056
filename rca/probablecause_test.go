package rca_test

import (
	"slices"
	"testing"

	"faultline/rca"
	"faultline/rca/ontology"
)

func TestProbableCauses(t *testing.T) {
	for in, want := range map[string]int{
		"8": 8, "lossOfSignal": 8, "LOSS_OF_SIGNAL": 8, "loss-of-signal": 8, "lossOfSignalX733": 527, "thresholdCrossed": 549, "threshold-crossed": 549,
		"Configuration or customization error": 159, "communications subsystem failure": 505, "antennaFailure": 71, "Antenna problem": 71,
		"batteryDischarging": 104, "externalPointFailure": 136, "versionMismatch": 166, "systemResourcesOverload": 207, "version mismatch x733": 555,
		"unexpectedInformation": 615, "other": 1024, "unspecified-reason": 1024, "2001": 2001, "protectingResourceFailure": 82, "routingFailure": 26,
	} {
		if got, ok := rca.ParseProbableCause(in); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "-3", "the dog ate it"} {
		if got, ok := rca.ParseProbableCause(in); ok {
			t.Errorf("%q is %d", in, got)
		}
	}
	if got := rca.EquivalentCauses(527); !slices.Equal(got, []int{8, 527}) {
		t.Errorf("loss of signal is %v", got)
	}
	if got := rca.EquivalentCauses(104); !slices.Equal(got, []int{104}) {
		t.Errorf("battery discharging is %v", got)
	}
}

func TestEveryCauseOfTheOntologyHasAName(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range k.AlarmTypes() {
		if _, ok := rca.ProbableCauseName(a.ProbableCause); !ok {
			t.Errorf("%s: no name for probable cause %d", a.ID, a.ProbableCause)
		}
	}
}

func TestEventTypes(t *testing.T) {
	for in, want := range map[string]string{
		"COMMUNICATIONS_ALARM": "communicationsAlarm", "communication": "communicationsAlarm", "Quality of Service Alarm": "qualityOfServiceAlarm",
		"qos": "qualityOfServiceAlarm", "processing-error": "processingErrorAlarm", "equipmentAlarm": "equipmentAlarm",
		"Environmental Alarm": "environmentalAlarm", "PHYSICAL_VIOLATION": "physicalViolation", "operational-violation": "operationalViolation",
		"security-service-or-mechanism-violation": "securityServiceOrMechanismViolation", "Time Domain Violation": "timeDomainViolation",
	} {
		if got, ok := rca.ParseEventType(in); !ok || got != want {
			t.Errorf("%q is %q, %v; want %q", in, got, ok, want)
		}
	}
	if got, ok := rca.ParseEventType("license"); ok {
		t.Errorf("license is %q", got)
	}
}
