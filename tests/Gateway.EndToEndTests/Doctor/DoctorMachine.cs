using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>
/// The fault laboratory's tests, which share one laboratory and, as <see cref="SharedMachine"/>'s, the machine.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DoctorMachine : ICollectionFixture<Laboratory>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "doctor";
}
