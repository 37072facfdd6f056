package rca

import (
	"slices"
	"strconv"
	"strings"
)

// CauseOther is the probable cause of which only is known that it is another one.
const CauseOther = 1024

// Probable causes are numbers of IANA-ITU-ALARM-TC-MIB (RFC 3877 section 5, kept by
// IANA): blocks 1-26, 51-82, 101-136, 151-166 and 201-207 come from ITU-T M.3100,
// 500-555 from X.733, 600-615 from X.736. The list below is number and name only,
// with the registry's slips of spelling mended; names are read without regard to
// case, punctuation and British or American s/z.
var causeBlocks = []struct {
	first int
	names string
}{
	{1, "aIS callSetUpFailure degradedSignal farEndReceiverFailure framingError lossOfFrame lossOfPointer lossOfSignal payloadTypeMismatch " +
		"transmissionError remoteAlarmInterface excessiveBER pathTraceMismatch unavailable signalLabelMismatch lossOfMultiFrame receiveFailure " +
		"transmitFailure modulationFailure demodulationFailure broadcastChannelFailure connectionEstablishmentError invalidMessageReceived " +
		"localNodeTransmissionError remoteNodeTransmissionError routingFailure"},
	{51, "backplaneFailure dataSetProblem equipmentIdentifierDuplication externalIFDeviceProblem lineCardProblem multiplexerProblem " +
		"neIdentifierDuplication powerProblem processorProblem protectionPathFailure receiverFailure replaceableUnitMissing replaceableUnitTypeMismatch " +
		"synchronizationSourceMismatch terminalProblem timingProblem transmitterFailure trunkCardProblem replaceableUnitProblem realTimeClockFailure " +
		"antennaFailure batteryChargingFailure diskFailure frequencyHoppingFailure iODeviceError lossOfSynchronisation lossOfRedundancy " +
		"powerSupplyFailure signalQualityEvaluationFailure transceiverFailure protectionMechanismFailure protectingResourceFailure"},
	{101, "airCompressorFailure airConditioningFailure airDryerFailure batteryDischarging batteryFailure commercialPowerFailure coolingFanFailure " +
		"engineFailure fireDetectorFailure fuseFailure generatorFailure lowBatteryThreshold pumpFailure rectifierFailure rectifierHighVoltage " +
		"rectifierLowVoltage ventilationSystemFailure enclosureDoorOpen explosiveGas fire flood highHumidity highTemperature highWind iceBuildUp " +
		"intrusionDetection lowFuel lowHumidity lowCablePressure lowTemperature lowWater smoke toxicGas coolingSystemFailure externalEquipmentFailure " +
		"externalPointFailure"},
	{151, "storageCapacityProblem memoryMismatch corruptData outOfCPUCycles softwareEnvironmentProblem softwareDownloadFailure lossOfRealTime " +
		"applicationSubsystemFailure configurationOrCustomisationError databaseInconsistency fileError outOfMemory softwareError timeoutExpired " +
		"underlyingResourceUnavailable versionMismatch"},
	{201, "bandwidthReduced congestion excessiveErrorRate excessiveResponseTime excessiveRetransmissionRate reducedLoggingCapability " +
		"systemResourcesOverload"},
	{500, "adapterError applicationSubsystemFailureX733 bandwidthReducedX733 callEstablishmentError communicationsProtocolError " +
		"communicationsSubsystemFailure configurationOrCustomizationErrorX733 congestionX733 corruptDataX733 cpuCyclesLimitExceeded dataSetOrModemError " +
		"degradedSignalX733 dteDceInterfaceError enclosureDoorOpenX733 equipmentMalfunction excessiveVibration fileErrorX733 fireDetected " +
		"framingErrorX733 heatingVentCoolingSystemProblem humidityUnacceptable inputOutputDeviceError inputDeviceError lanError leakDetected " +
		"localNodeTransmissionErrorX733 lossOfFrameX733 lossOfSignalX733 materialSupplyExhausted multiplexerProblemX733 outOfMemoryX733 " +
		"outputDeviceError performanceDegraded powerProblems pressureUnacceptable processorProblems pumpFailureX733 queueSizeExceeded " +
		"receiveFailureX733 receiverFailureX733 remoteNodeTransmissionErrorX733 resourceAtOrNearingCapacity responseTimeExcessive " +
		"retransmissionRateExcessive softwareErrorX733 softwareProgramAbnormallyTerminated softwareProgramError storageCapacityProblemX733 " +
		"temperatureUnacceptable thresholdCrossed timingProblemX733 toxicLeakDetected transmitFailureX733 transmitterFailureX733 " +
		"underlyingResourceUnavailableX733 versionMismatchX733"},
	{600, "authenticationFailure breachOfConfidentiality cableTamper delayedInformation denialOfService duplicateInformation informationMissing " +
		"informationModificationDetected informationOutOfSequence keyExpired nonRepudiationFailure outOfHoursActivity outOfService proceduralError " +
		"unauthorizedAccessAttempt unexpectedInformation"},
	{CauseOther, "other"},
}

// equivalent holds numbers of different blocks that mean the same: the registry
// keeps the M.3100 and the X.733 number of one cause side by side (8 and 527 are
// both a loss of signal).
var equivalent = [][]int{
	{3, 511}, {5, 518}, {6, 526}, {8, 527}, {17, 538}, {18, 552}, {24, 525}, {25, 540}, {2, 503}, {52, 510}, {56, 529}, {58, 533}, {59, 535},
	{61, 539}, {66, 550}, {67, 553}, {75, 521}, {113, 536}, {118, 513}, {120, 517}, {133, 551}, {134, 519}, {151, 547}, {153, 508}, {154, 509},
	{158, 501}, {159, 506}, {161, 516}, {162, 530}, {163, 544, 546}, {165, 554}, {166, 555}, {201, 502}, {202, 507}, {204, 542}, {205, 543},
}

// causeAliases are names of other lists for a cause that has a number: GSM 12.11
// and TS 32.111-2 annex B names, and the spellings of platform fault managers.
var causeAliases = map[string]int{
	"alarmIndicationSignal": 1, "excessiveBitErrorRate": 12, "remoteAlarmIndication": 11, "antennaProblem": 71, "batteryBreakdown": 105,
	"batteryChargingFault": 72, "mainsBreakdownWithBatteryBackUp": 106, "mainsBreakdownWithoutBatteryBackUp": 106, "externalPowerSupplyFailure": 106,
	"clockSynchronisationProblem": 76, "lostRedundancy": 77, "transceiverProblem": 80, "diskProblem": 73, "signalQualityEvaluationFault": 79,
	"receiverAntennaFault": 71, "transmitterAntennaFailure": 71, "linkFailure": 10, "transmissionFailure": 10, "dataSetOrModemProblem": 510,
	"communicationSubsystemFailure": 505, "communicationProtocolError": 504, "configurationOrCustomizingError": 159, "configurationOutOfDate": 159, "certificateExpiration": 609,
	"processorProblem": 59, "temperatureProblem": 548, "heatingOrVentilationOrCoolingSystemProblem": 519, "equipmentFailure": 514,
	"unspecifiedReason": CauseOther, "unknown": CauseOther, "indeterminate": CauseOther,
}

type causeTable struct {
	name   map[int]string
	number map[string]int
	same   map[int][]int
}

var causes = func() causeTable {
	t := causeTable{map[int]string{}, map[string]int{}, map[int][]int{}}
	for _, b := range causeBlocks {
		for i, n := range strings.Fields(b.names) {
			t.name[b.first+i] = n
			t.number[foldName(n)] = b.first + i
			// The bare X.733 name belongs to M.3100 where both blocks have it.
			if bare := foldName(strings.TrimSuffix(n, "X733")); t.number[bare] == 0 {
				t.number[bare] = b.first + i
			}
		}
	}
	for n, v := range causeAliases {
		if k := foldName(n); t.number[k] == 0 {
			t.number[k] = v
		}
	}
	for _, class := range equivalent {
		c := slices.Sorted(slices.Values(class))
		for _, n := range c {
			t.same[n] = c
		}
	}
	return t
}()

// ProbableCauseName returns the name of a number.
func ProbableCauseName(n int) (string, bool) { s, ok := causes.name[n]; return s, ok }

// ParseProbableCause reads a probable cause as a number or a name; the name in any
// case, with any punctuation. Numbers outside the registry are kept (vendors number
// from 1025 up) as long as they are positive.
func ParseProbableCause(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if n, err := strconv.Atoi(s); err == nil {
		return n, n > 0
	}
	n, ok := causes.number[foldName(s)]
	return n, ok
}

// EquivalentCauses returns all numbers that mean the same as n, n included, in
// ascending order.
func EquivalentCauses(n int) []int {
	if c, ok := causes.same[n]; ok {
		return slices.Clone(c)
	}
	return []int{n}
}

// eventTypes are the X.733 and X.736 event types by the words that lead to them.
var eventTypes = []struct{ word, name string }{
	{"communication", "communicationsAlarm"}, {"qualityofservice", "qualityOfServiceAlarm"}, {"qos", "qualityOfServiceAlarm"},
	{"processingerror", "processingErrorAlarm"}, {"equipment", "equipmentAlarm"}, {"environmental", "environmentalAlarm"},
	{"integrityviolation", "integrityViolation"}, {"operationalviolation", "operationalViolation"}, {"physicalviolation", "physicalViolation"},
	{"securityserviceormechanismviolation", "securityServiceOrMechanismViolation"}, {"timedomainviolation", "timeDomainViolation"},
}

// ParseEventType maps the spellings of X.733, 3GPP, TMF642 and others to the X.733
// event type name, for example "COMMUNICATIONS_ALARM" to "communicationsAlarm".
func ParseEventType(s string) (string, bool) {
	f := foldName(s)
	for _, t := range eventTypes {
		if f == t.word || strings.TrimSuffix(strings.TrimSuffix(f, "alarm"), "s") == t.word {
			return t.name, true
		}
	}
	return "", false
}

// foldName keeps letters and digits in lower case, with z as s.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		default:
			return -1
		}
		if r == 'z' {
			return 's'
		}
		return r
	}, s)
}
