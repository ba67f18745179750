using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>The fault laboratory, the server's side: each fault is named first, and nothing else is an error.</summary>
[Collection(SharedMachine.Name)]
public sealed class DoctorServerTests(Laboratory laboratory) : IClassFixture<Laboratory>
{
    public static TheoryData<string> Faults => [.. ServerFaults.All.Keys];

    [Fact]
    public async Task HealthyStack_HasNothingAboveInformation()
    {
        using var site = laboratory.Copy();
        Findings.AssertWell(await site.ExamineAsync());
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Fault_IsNamedFirst(string fault)
    {
        var (id, inject) = ServerFaults.All[fault];
        using var site = laboratory.Copy();
        inject(site);
        Findings.AssertNamesFirst(await site.ExamineAsync(), id);
    }
}
