using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>The fault laboratory, the server's side: each fault is named first, and nothing else is an error.</summary>
[Collection(DoctorMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class DoctorServerTests(Laboratory laboratory) : IAsyncLifetime
{
    public Task InitializeAsync() => laboratory.UntilWellAsync();

    public Task DisposeAsync() => Task.CompletedTask;

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
